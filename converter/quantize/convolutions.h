// Quantises convolutions to INT8: scales from calibration, weights, and corrected biases.
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

/// Some of Winograd's tiles.
struct WinogradTiles {
    bool f2x2 = false;
    bool f4x4 = false;
};

/// A layer does not use a tile of Winograd's that adds a larger relative output error on the kept tiles to
/// that of its rounded weights (so that error² of the tile ≤ error² direct + this²), nor one that no map of
/// the calibration fills: then its scales would be too small for larger inputs.
inline constexpr double largest_winograd_error = 0.1;

struct QuantizedConvolution {
    std::string name;
    std::vector<std::size_t> shape;  ///< shape of the weights
    QuantizedWeights weights;
    std::vector<float> bias;
    float input_scale = 1;
    std::array<float, model::winograd_positions> winograd_input_scale{};
    std::array<float, model::winograd_f4x4_positions> winograd_f4x4_input_scale{};
    WinogradTiles winograd;  ///< whose scales are stored in the file
    double clipped = 0;      ///< share of the calibration's inputs above 255 steps
    TileError error;

    /// Views into this object's memory.
    std::vector<model::Tensor> tensors() const { return tensors(winograd); }
    std::vector<model::Tensor> tensors(WinogradTiles with) const;
};

/// Quantises one convolution with its statistics. `bias`, if it is to be corrected, compensates for the error
/// that rounded weights cause with the mean input:
///
///   bias[o] −= Σ_c Σ_t (ŵ − w)[o][c][t] · E[input channel c at tap t]
///
/// Throws Error (bad_input) for weights that are not finite.
QuantizedConvolution quantize_convolution(const model::ConvolutionLayer& layer, const model::ModelFile& model,
                                          const ConvolutionStatistics& statistics,
                                          const ConvolutionOptions& options, int bits = most_weight_bits);

/// Sets what follows from a convolution's quantised weights and bias: its errors, and Winograd's tiles.
void measure_errors(QuantizedConvolution& convolution, const model::ModelFile& model,
                    const ConvolutionStatistics& statistics, int threads);

}  // namespace vgg19::converter
