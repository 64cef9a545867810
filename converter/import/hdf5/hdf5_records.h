// What the child process that reads an HDF5 file tells its parent: records through a pipe.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vgg19::converter {

enum class Hdf5Record : std::uint64_t {
    end = 1,    ///< all has been told
    failure,    ///< a text
    absent,     ///< which part of the library is missing, a text
    tensor,     ///< path, type, sizes (a count first), offset in the file, decoded bytes (a count first)
    attribute,  ///< path, name, texts (a count first)
    unread,     ///< path and reason, as a text
};

/// The offset of bytes that are not in the file as they are.
inline constexpr std::uint64_t hdf5_decoded = UINT64_MAX;

/// Decoded arrays, and everything else that a child may tell, for each byte of the file, and whatever its
/// size.
inline constexpr std::size_t hdf5_memory_factor = 16;
inline constexpr std::size_t hdf5_least_memory = std::size_t{64} << 20U;

/// Seconds of processor time that a child may take; of time as a clock has it, three times as long.
inline constexpr unsigned hdf5_seconds(std::size_t file_bytes) {
    constexpr std::size_t bytes_per_second = 10'000'000;
    constexpr std::size_t least = 2;
    constexpr std::size_t most = 20;
    const std::size_t seconds = least + file_bytes / bytes_per_second;
    return static_cast<unsigned>(seconds < most ? seconds : most);
}
inline constexpr unsigned hdf5_clock_factor = 3;

/// Reads the file and writes records to `pipe`; ends the process. To be called in a child process of
/// `parent`, with which it ends. It may use nothing but the file's bytes.
[[noreturn]] void read_hdf5_as_child(std::span<const std::byte> file,
                                     const std::vector<std::string>& attributes, int pipe, pid_t parent);

}  // namespace vgg19::converter
