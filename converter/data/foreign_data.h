// Data sets in forms that are not read, told apart so that messages can help.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace vgg19::converter {

/// "CIFAR-100's binary file: …", with what to use instead, for a file whose first bytes or length tell it to
/// be one that people have; none for others. Reads little of it.
std::optional<std::string> describe_foreign_data(const std::filesystem::path& file,
                                                 std::span<const std::byte> bytes);

}  // namespace vgg19::converter
