// INT8 weights for the dense layers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "engine/model/model_file.h"

namespace vgg19::converter {

/// One output channel, symmetric: scale = max|w| / 127 (1 where that is 0), q = round(w / scale) in [−127,
/// 127], ties to even. Returns the scale; one that is not finite says that a weight is not, and then nothing
/// is quantised.
float quantize_row(std::span<const float> weights, std::span<std::int8_t> quantized);

/// Writes the model with I8 dense weights, output-major whatever their order was, and a scale per output
/// channel, as variant "int8" ("pruned-int8" for a pruned one). Activations are quantised at run time, so
/// nothing about them is stored. Throws Error (bad_input) for a model that is INT8 already, has weights that
/// are not finite, or has a layer with more inputs than a 32-bit sum can hold; (usage) when both paths are
/// the same file.
void quantize_dense(const model::ModelFile& model, const std::filesystem::path& output,
                    const model::Progress& progress = {});

}  // namespace vgg19::converter
