// Measures the relative output error of an INT8 convolution, direct and by Winograd, on the tiles that
// calibration kept.
#pragma once

#include <array>
#include <span>

#include "converter/quantize/statistics.h"
#include "converter/quantize/weights.h"
#include "converter/quantize/winograd_tile.h"

namespace vgg19::converter {

/// What an INT8 convolution needs in addition to its FP32 weights and bias.
struct Int8Convolution {
    const QuantizedWeights& weights;
    std::span<const float> bias;
    float input_scale = 1;
    std::array<float, model::winograd_positions> winograd_input_scale{};
    std::array<float, model::winograd_f4x4_positions> winograd_f4x4_input_scale{};

    template <class Points>
    const std::array<float, Points::positions>& transformed_scale() const {
        if constexpr (Points::positions == model::winograd_positions) {
            return winograd_input_scale;
        } else {
            return winograd_f4x4_input_scale;
        }
    }
};

/// Relative L2 error of the outputs after the ReLU: ‖found − expected‖ / ‖expected‖.
struct TileError {
    double direct = 0;
    double winograd = 0;       ///< F(2×2)
    double winograd_f4x4 = 0;  ///< F(4×4)
};

/// Computes the kept tiles' outputs (at most 64 output channels, evenly spread) in FP32, in INT8, and in INT8
/// by each of Winograd's tiles as described in kernels/winograd_int8/winograd_int8.h. `weights` are (O, I, 3,
/// 3).
TileError tile_error(const ConvolutionStatistics& statistics, std::span<const float> weights,
                     std::span<const float> bias, const Int8Convolution& int8, int threads);

}  // namespace vgg19::converter
