// Convolutions in INT8: scales from calibration, weights, and biases that make up for their rounding.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "converter/quantize/statistics.h"
#include "converter/quantize/tile_error.h"
#include "converter/quantize/weights.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

struct ConvolutionOptions {
    RangeMethod range = RangeMethod::mse;
    bool bias_correction = true;
    int threads = 1;
};

/// Above this relative error of its output on the kept tiles, a layer is not given to Winograd.
inline constexpr double largest_winograd_error = 0.1;

struct QuantizedConvolution {
    std::string name;
    std::vector<std::size_t> shape;  ///< of the weights
    QuantizedWeights weights;
    std::vector<float> bias;
    float input_scale = 1;
    Tile<float> winograd_input_scale{};
    bool winograd = false;  ///< whether the file offers winograd_input_scale
    double clipped = 0;     ///< share of the calibration's inputs above 255 steps
    TileError error;

    /// They refer to this object's memory.
    std::vector<model::Tensor> tensors() const { return tensors(winograd); }
    std::vector<model::Tensor> tensors(bool with_winograd) const;
};

/// One convolution from its statistics. `bias` changes, where that is wanted, by what the rounded weights
/// make of the mean input:
///
///   bias[o] −= Σ_c Σ_t (ŵ − w)[o][c][t] · E[what tap t sees in channel c]
///
/// Throws Error (bad_input) for weights that are not finite.
QuantizedConvolution quantize_convolution(const model::ConvolutionLayer& layer, const model::ModelFile& model,
                                          const ConvolutionStatistics& statistics,
                                          const ConvolutionOptions& options);

}  // namespace vgg19::converter
