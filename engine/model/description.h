// A model's description, stored as the string metadata of a safetensors file.
#pragma once

#include <string>
#include <string_view>

#include "engine/model/model_file.h"
#include "engine/model/safetensors.h"

namespace vgg19::model {

/// Keys and values:
///   format, format_version     "vgg19", "1"; "2" with one of the keys below that only it has
///   features, classifier       Network::features_text(), classifier_text()
///   pooled_side                Network::pooled_side(), where it is not 7
///   preprocessing.*            input_size, resize_ratio, mean and deviation (three numbers), interpolation;
///                              channel_order ("BGR") and range ("255") where they are not RGB and 1
///   pooling                    "average" where it is not max
///   variant, source_sha256     strings
///   lineage.0, lineage.1, …    a step each, oldest first
///   class_names                where there are any: a JSON array of strings, in the order of the outputs
Metadata metadata_from_description(const Description& description);

/// Whether the metadata says that the file is a vgg19 model.
bool is_model(const Metadata& metadata);

/// The inverse of metadata_from_description(); unknown keys are ignored. Throws Error (bad_input) that names
/// the key.
Description description_from_metadata(const Metadata& metadata);

/// "RGB" or "BGR", "max" or "average".
std::string_view channel_order_name(ChannelOrder order);
std::string_view pooling_name(Pooling pooling);
/// Whether a number may be Preprocessing::range: from 1 to 65535, the largest sample of 16 bits.
bool is_range(float range);

/// "checksum.features.0.weight": "sha256:" and 64 hexadecimal digits.
std::string checksum_key(std::string_view tensor);
std::string checksum_text(std::string_view sha256);

}  // namespace vgg19::model
