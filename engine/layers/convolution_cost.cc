#include "engine/layers/convolution_cost.h"

#include <algorithm>

#include "engine/layers/work.h"
#include "kernels/onednn/conv_onednn.h"
#include "kernels/winograd/error.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::layers {

namespace {

using enum ConvolutionAlgorithm;

/// The largest expected relative error of a layer's output. Over all layers of VGG-19, logits then stay
/// within 1e-5. Sums over few channels may cancel, and then errors are larger than is expected of random
/// numbers; such narrow layers gain little from large tiles.
double largest_error(std::size_t input_channels) {
    constexpr double of_wide_layers = 5e-6;
    constexpr double wide = 16;
    return of_wide_layers * std::min(1.0, static_cast<double>(input_channels) / wide);
}

bool onednn_supports(const ConvolutionShape& shape, const Execution& execution) {
    return shape.type == ConvolutionType::fp32 &&
           kernels::ConvOneDnn::supports(onednn_shape(shape, execution), execution.isa);
}

/// INT8 filters for F(4×4) take 46/9 of their bytes in the file, for F(2×2) 16/9: where they would be larger
/// than those of VGG-19's widest layers, they stay with F(2×2).
constexpr double most_f4x4_bytes = 13e6;

bool f4x4_is_small(const ConvolutionShape& shape) {
    const std::size_t positions = kernels::winograd_int8_positions(kernels::WinogradInt8Tile::f4x4);
    return static_cast<double>(positions * shape.input_channels * shape.output_channels) <= most_f4x4_bytes;
}

std::vector<ConvolutionAlgorithm> int8_algorithms(const ConvolutionShape& shape, ConvolutionChoice choice) {
    const WinogradInt8Scales& scales = shape.winograd_int8;
    std::vector<ConvolutionAlgorithm> algorithms;
    if (choice != ConvolutionChoice::direct) {
        if (scales.f2x2) algorithms.push_back(winograd_int8_f2x2);
        if (scales.f4x4 && (f4x4_is_small(shape) || !scales.f2x2)) algorithms.push_back(winograd_int8_f4x4);
    }
    if (choice != ConvolutionChoice::winograd || algorithms.empty()) algorithms.push_back(conv_int8);
    return algorithms;
}

std::vector<ConvolutionAlgorithm> own_algorithms(const ConvolutionShape& shape, ConvolutionChoice choice) {
    if (shape.type != ConvolutionType::fp32) return int8_algorithms(shape, choice);
    if (choice == ConvolutionChoice::direct) return {direct};
    if (shape.plain_input) return {winograd_image};
    std::vector<ConvolutionAlgorithm> algorithms;
    for (const kernels::WinogradTile tile : kernels::winograd_tiles) {
        if (kernels::winograd_error(tile, shape.input_channels) <= largest_error(shape.input_channels)) {
            algorithms.push_back(winograd_algorithm(tile));
        }
    }
    return algorithms;
}

/// oneDNN only on request: its OpenMP threads spin beside ours while they wait.
std::vector<ConvolutionAlgorithm> allowed_algorithms(const ConvolutionShape& shape,
                                                     const Execution& execution, ConvolutionChoice choice) {
    if (choice == ConvolutionChoice::onednn && onednn_supports(shape, execution)) return {onednn};
    return own_algorithms(shape, choice);
}

}  // namespace

ConvolutionEstimate convolution_estimate(ConvolutionAlgorithm algorithm, const ConvolutionShape& shape,
                                         const Execution& execution) {
    Execution compared = execution;
    compared.threads = threads_of_comparison;
    compared.batch = 1;
    const Work work = layer_work(algorithm, shape, compared);
    return {.algorithm = algorithm,
            .time = work.time(compared),
            .convolution_seconds = convolution_work(algorithm, shape, compared).time(compared).seconds,
            .weight_bytes = work.weight_bytes};
}

std::vector<ConvolutionEstimate> convolution_estimates(const ConvolutionShape& shape,
                                                       const Execution& execution, ConvolutionChoice choice) {
    std::vector<ConvolutionEstimate> estimates;
    for (const ConvolutionAlgorithm algorithm : allowed_algorithms(shape, execution, choice)) {
        estimates.push_back(convolution_estimate(algorithm, shape, execution));
    }
    std::stable_sort(estimates.begin(), estimates.end(),
                     [](const auto& a, const auto& b) { return a.cost() < b.cost(); });
    return estimates;
}

}  // namespace vgg19::layers
