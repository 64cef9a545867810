// A checksum of what a model file's header says, so that damage to it is found when the file is opened.
#pragma once

#include <filesystem>
#include <span>

#include "engine/model/safetensors.h"

namespace vgg19::model {

/// Adds two entries: the checksum, and one that says that there is one, so that damage to neither key hides
/// it. It covers the other metadata and the tensors' names, types and shapes, in any order: a program that
/// writes the file anew and changes none of these keeps it right.
void add_header_checksum(Metadata& metadata, std::span<const Tensor> tensors);

/// Throws Error (bad_input) if the metadata have a checksum of the header, or say so, and it is another.
void check_header(const Metadata& metadata, std::span<const Tensor> tensors,
                  const std::filesystem::path& path);

}  // namespace vgg19::model
