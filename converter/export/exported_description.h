// What a file for other programs says about the model beside its weights.
#pragma once

#include <string>

#include "engine/model/model_file.h"

namespace vgg19::converter {

/// Whether INT8 layers are written as such, or in FP32.
enum class WeightType : unsigned char { as_stored, plain };

/// The keys and values of a model file's metadata (docs/model-file.md) without checksums: network,
/// preprocessing, class names, lineage with the step "export OPTIONS" at its end. A quantised model that is
/// written in FP32, as INT4 layers always are, says so in its variant: "int8-dequantized".
model::Metadata exported_description(const model::ModelFile& model, const std::string& options,
                                     WeightType type);

}  // namespace vgg19::converter
