// Reads all bytes of a file or stream, whether its size is known or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <vector>

namespace vgg19 {

/// Both read at most `most` bytes, and throw Error (bad_input) if there are more or if reading fails.
/// `is_cancelled`, which may be empty, is asked again and again while a pipe's writer is awaited: true ends
/// the call with Error (cancelled), and what it throws leaves it. Signals do not end it; without
/// `is_cancelled`, one that comes before the writer does is Error (failed).
std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path, std::size_t most,
                                     const std::function<bool()>& is_cancelled = {});
std::vector<std::uint8_t> read_bytes(std::istream& stream, std::size_t most);

/// Throws Error (bad_input) if `bytes` exceeds `most`.
void check_file_bytes(std::uintmax_t bytes, std::size_t most);

}  // namespace vgg19
