// Writes NumPy's .npy files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/model/safetensors.h"

namespace vgg19::tools {

/// What stands before the numbers of a little-endian F32 array in C order: NumPy's format, version 1.0
/// (numpy.lib.format), padded so that the numbers start at a multiple of 64 bytes.
std::string npy_header(const std::vector<std::size_t>& shape);

/// Writes such a file crash-safely. `tensor` is F32. Throws Error (failed).
void write_npy(const std::filesystem::path& path, const model::TensorStream& tensor);

}  // namespace vgg19::tools
