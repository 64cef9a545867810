// Measures the relative output error of an INT8 convolution, direct and by Winograd, on the tiles that
// calibration kept.
#pragma once

#include <span>

#include "converter/quantize/statistics.h"
#include "converter/quantize/weights.h"

namespace vgg19::converter {

/// What an INT8 convolution needs in addition to its FP32 weights and bias.
struct Int8Convolution {
    const QuantizedWeights& weights;
    std::span<const float> bias;
    float input_scale = 1;
    Tile<float> winograd_input_scale{};
};

/// Relative L2 error of the outputs after the ReLU: ‖found − expected‖ / ‖expected‖.
struct TileError {
    double direct = 0;
    double winograd = 0;
};

/// Computes the kept tiles' outputs (at most 64 output channels, evenly spread) three times: in FP32, in
/// INT8, and in INT8 by Winograd as described in kernels/winograd_int8/winograd_int8.h. `weights` are (O, I,
/// 3, 3).
TileError tile_error(const ConvolutionStatistics& statistics, std::span<const float> weights,
                     std::span<const float> bias, const Int8Convolution& int8, int threads);

}  // namespace vgg19::converter
