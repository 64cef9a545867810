// A model's description, stored as the string metadata of a safetensors file.
#pragma once

#include <string>
#include <string_view>

#include "engine/model/model_file.h"
#include "engine/model/safetensors.h"

namespace vgg19::model {

/// Keys and values:
///   format, format_version     "vgg19", "1"
///   features, classifier       Network::features_text(), classifier_text()
///   pooled_side                Network::pooled_side(), where it is not 7
///   preprocessing.*            input_size, resize_ratio, mean and deviation (three numbers), interpolation
///   variant, source_sha256     strings
///   lineage.0, lineage.1, …    a step each, oldest first
///   class_names                where there are any: a JSON array of strings, in the order of the outputs
Metadata metadata_from_description(const Description& description);

/// Whether the metadata says that the file is a vgg19 model.
bool is_model(const Metadata& metadata);

/// The inverse of metadata_from_description(); unknown keys are ignored. Throws Error (bad_input) that names
/// the key.
Description description_from_metadata(const Metadata& metadata);

/// "checksum.features.0.weight": "sha256:" and 64 hexadecimal digits.
std::string checksum_key(std::string_view tensor);
std::string checksum_text(std::string_view sha256);

}  // namespace vgg19::model
