// Recognises data sets in unsupported formats, so that messages can help.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace vgg19::converter {

/// "CIFAR-100's binary file: …", with advice, for a file whose first bytes or length show that it belongs to
/// another known data set; none for other files. Reads only a small part of the file.
std::optional<std::string> describe_foreign_data(const std::filesystem::path& file,
                                                 std::span<const std::byte> bytes);

}  // namespace vgg19::converter
