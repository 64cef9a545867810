// The bytes of a file, of known size or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <vector>

namespace vgg19 {

/// Both read no more than `most` bytes, and throw Error (bad_input) where there are more and where reading
/// fails.
std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path, std::size_t most);
std::vector<std::uint8_t> read_bytes(std::istream& stream, std::size_t most);

/// Throws Error (bad_input) for more than `most` bytes.
void check_file_bytes(std::uintmax_t bytes, std::size_t most);

}  // namespace vgg19
