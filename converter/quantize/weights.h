// Weights in INT8, symmetric, with a scale per output channel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/model/model_file.h"

namespace vgg19::converter {

/// One output channel: scale = max|w| / 127 (1 where that is 0), q = round(w / scale) in [−127, 127], ties to
/// even. Returns the scale; one that is not finite says that a weight is not, and then nothing is quantised.
float quantize_row(std::span<const float> weights, std::span<std::int8_t> quantized);

/// The weights of one layer, as its tensors hold them.
struct QuantizedWeights {
    std::unique_ptr<std::int8_t[]> values;  ///< [outputs][inputs of one], or the other way round: input_major
    std::size_t outputs = 0;
    std::size_t inputs = 0;
    std::vector<float> scales;  ///< [outputs]

    bool input_major = false;

    /// Of weights that are not input-major.
    std::span<const std::int8_t> row(std::size_t output) const { return {&values[output * inputs], inputs}; }

    /// The weights under that name and shape, and the scales of the layer. Both refer to this object's
    /// memory.
    void append_tensors(const std::string& layer, const model::TensorShape& weight,
                        std::vector<model::Tensor>& tensors) const;
};

/// A dense layer's, in the order that they are in; a convolution's, (O, I, 3, 3). Throw Error
/// (bad_input) for weights that are not finite.
QuantizedWeights quantize_weights(const model::DenseLayer& layer, const model::ModelFile& model);
QuantizedWeights quantize_weights(const model::ConvolutionLayer& layer, const model::ModelFile& model);

/// Throws Error (bad_input) for a model with a quantised layer.
void require_fp32(const model::ModelFile& model);

}  // namespace vgg19::converter
