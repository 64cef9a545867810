// For tests: reads and writes whole files as strings.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace vgg19::converter::testing {

inline std::string read_bytes(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::filesystem::path& path, const std::string& content) {
    std::filesystem::remove(
        path);  // some file systems wait for the disk when a file is truncated and rewritten
    std::ofstream(path, std::ios::binary) << content;
}

}  // namespace vgg19::converter::testing
