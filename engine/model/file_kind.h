// Recognises a file's kind from its first bytes, and says what to do if it is not a model.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace vgg19::model {

enum class FileKind : unsigned char {
    safetensors,  ///< recognised by the ninth byte; the rest is not checked
    zip,          ///< possibly PyTorch's newer container
    pickle,       ///< PyTorch's older format, or plain Python
    onnx,         ///< probably: such files have no signature
    caffe,        ///< probably a .caffemodel
    hdf5,
    zstandard,  ///< possibly a packed model (packed_file.h)
    other,      ///< known, but not supported
    unknown,
};

/// What a build without the HDF5 library says of Keras's files.
inline constexpr std::string_view needs_hdf5 =
    "this vgg19 was built without the HDF5 library, which it needs to read such files: install its "
    "development files, and build it with -DVGG19_HDF5=ON";

FileKind kind_of_file(std::span<const std::byte> file);

/// Describes a file given where a model or another safetensors file was expected: "a picture (JPEG); …", with
/// advice.
std::string describe_file_for_model(std::span<const std::byte> file);

/// Describes a file given where weights to import were expected.
std::string describe_file_for_import(std::span<const std::byte> file);

}  // namespace vgg19::model
