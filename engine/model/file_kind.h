// What a file is, told by its first bytes, and what to do with one that is no model.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace vgg19::model {

enum class FileKind : unsigned char {
    safetensors,  ///< by its ninth byte; what is in it is another question
    zip,          ///< PyTorch's newer container, perhaps
    pickle,       ///< PyTorch's older one, or Python's own
    other,        ///< something that is known, and read by nobody here
    unknown,
};

FileKind kind_of_file(std::span<const std::byte> file);

/// "a picture (JPEG); …", with what to do where a model file, or some safetensors file, was wanted.
std::string describe_file_for_model(std::span<const std::byte> file);

/// The same where weights to import were wanted.
std::string describe_file_for_import(std::span<const std::byte> file);

}  // namespace vgg19::model
