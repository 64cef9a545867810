// For tests: writes uncompressed zip files.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "converter/import/testing/pickle_writer.h"

namespace vgg19::converter::testing {

/// A zip file of (name, content) pairs, without checksums.
inline std::string zip_file(const std::vector<std::pair<std::string, std::string>>& files) {
    std::string content;
    std::string directory;
    for (const auto& [name, data] : files) {
        const std::string sizes = little_endian(data.size(), 4) + little_endian(data.size(), 4);
        const std::string middle = std::string(10, '\0') + std::string(4, '\0') + sizes +
                                   little_endian(name.size(), 2) + little_endian(0, 2);
        directory += "PK\x01\x02" + std::string(2, '\0') + std::string(2, '\0') + middle.substr(2) +
                     std::string(10, '\0') + little_endian(content.size(), 4) + name;
        content += "PK\x03\x04" + middle + name + data;
    }
    const std::string count = little_endian(files.size(), 2);
    return content + directory + "PK\x05\x06" + std::string(4, '\0') + count + count +
           little_endian(directory.size(), 4) + little_endian(content.size(), 4) + std::string(2, '\0');
}

}  // namespace vgg19::converter::testing
