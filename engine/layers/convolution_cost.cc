#include "engine/layers/convolution_cost.h"

#include <algorithm>

#include "engine/layers/work.h"
#include "kernels/onednn/conv_onednn.h"
#include "kernels/winograd/error.h"

namespace vgg19::layers {

namespace {

using enum ConvolutionAlgorithm;

/// The largest expected relative error of a layer's output. Over all layers of VGG-19, logits then stay
/// within 1e-5.
constexpr double largest_error = 5e-6;

bool onednn_supports(const ConvolutionShape& shape, const Execution& execution) {
    return shape.type == ConvolutionType::fp32 &&
           kernels::ConvOneDnn::supports(onednn_shape(shape, execution), execution.isa);
}

std::vector<ConvolutionAlgorithm> int8_algorithms(const ConvolutionShape& shape, ConvolutionChoice choice) {
    std::vector<ConvolutionAlgorithm> algorithms;
    if (choice != ConvolutionChoice::direct) {
        if (shape.winograd_int8.f2x2) algorithms.push_back(winograd_int8_f2x2);
        if (shape.winograd_int8.f4x4) algorithms.push_back(winograd_int8_f4x4);
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
        if (kernels::winograd_error(tile, shape.input_channels) <= largest_error) {
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

std::vector<ConvolutionEstimate> convolution_estimates(const ConvolutionShape& shape,
                                                       const Execution& execution, ConvolutionChoice choice) {
    Execution compared = execution;
    compared.threads = threads_of_comparison;
    compared.batch = 1;
    std::vector<ConvolutionEstimate> estimates;
    for (const ConvolutionAlgorithm algorithm : allowed_algorithms(shape, execution, choice)) {
        const Work work = layer_work(algorithm, shape, compared);
        estimates.push_back(
            {.algorithm = algorithm,
             .time = work.time(compared),
             .convolution_seconds = convolution_work(algorithm, shape, compared).time(compared).seconds,
             .weight_bytes = work.weight_bytes});
    }
    std::stable_sort(estimates.begin(), estimates.end(),
                     [](const auto& a, const auto& b) { return a.cost() < b.cost(); });
    return estimates;
}

}  // namespace vgg19::layers
