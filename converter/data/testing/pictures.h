// For tests: pictures in folders, and CIFAR-10 files.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace vgg19::converter::testing {

inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
}

/// A uniformly grey PPM.
inline void write_grey(const std::filesystem::path& path, int grey, std::size_t side = 32) {
    write_file(path, "P6\n" + std::to_string(side) + " " + std::to_string(side) + "\n255\n" +
                         std::string(side * side * 3, static_cast<char>(grey)));
}

/// One record per grey value, all with that label.
inline std::string grey_records(int label, const std::string& greys) {
    std::string bytes;
    for (const char grey : greys) bytes += static_cast<char>(label) + std::string(3072, grey);
    return bytes;
}

}  // namespace vgg19::converter::testing
