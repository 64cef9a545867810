// Quantises weights to symmetric INT8, with a scale per output channel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "converter/quantize/weight_bits.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// Quantises one output channel: q = round(w / scale) in [−largest, largest], halves to even, where largest =
/// largest_weight(bits). With 8 bits scale = max|w| / 127 (1 if that is 0); with fewer, it is that of max|w|
/// / largest and some smaller ones whose squared error is least, since clipping the largest weights makes the
/// others more accurate. Returns the scale; if it is not finite, neither are the weights, and nothing is
/// quantised.
float quantize_row(std::span<const float> weights, std::span<std::int8_t> quantized,
                   int bits = most_weight_bits);

/// The weights of one layer in the format of its tensors.
struct QuantizedWeights {
    std::unique_ptr<std::int8_t[]> values;  ///< [outputs][inputs], or transposed if input_major
    std::size_t outputs = 0;
    std::size_t inputs = 0;
    std::vector<float> scales;  ///< [outputs]

    bool input_major = false;

    /// Only for weights that are not input-major.
    std::span<const std::int8_t> row(std::size_t output) const { return {&values[output * inputs], inputs}; }

    /// Appends the weights under that name and shape, and the layer's scales. Both are views into this
    /// object's memory.
    void append_tensors(const std::string& layer, const model::TensorShape& weight,
                        std::vector<model::Tensor>& tensors) const;
};

/// Of a dense layer in its present order; of a convolution (O, I, 3, 3). They throw Error (bad_input) for
/// weights that are not finite.
QuantizedWeights quantize_weights(const model::DenseLayer& layer, const model::ModelFile& model,
                                  int bits = most_weight_bits);
QuantizedWeights quantize_weights(const model::ConvolutionLayer& layer, const model::ModelFile& model,
                                  int bits = most_weight_bits);

/// Throws Error (bad_input) if the model has a quantised layer.
void require_fp32(const model::ModelFile& model);

}  // namespace vgg19::converter
