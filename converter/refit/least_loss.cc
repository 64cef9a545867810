#include "converter/refit/least_loss.h"

#include <span>
#include <vector>

#include "converter/prune/prunable_layers.h"
#include "converter/refit/hidden_samples.h"
#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

/// How to index a weight of (outputs, channels, area).
struct WeightLayout {
    std::size_t outputs = 0;
    std::size_t channels = 0;
    std::size_t area = 0;
    std::size_t output_stride = 0;
    std::size_t element_stride = 0;  ///< between consecutive elements of a channel
};

/// Σ over outputs and elements of weight[channel] · weight[other channel].
std::vector<double> importance(std::span<const float> weights, const WeightLayout& layout) {
    const int threads = kernels::available_cpus();
    const std::size_t channels = layout.channels;
    LeastSquares products(channels, 0, kernels::best_isa(), threads);
    std::vector<float> rows(layout.outputs * channels);
    for (std::size_t element = 0; element < layout.area; ++element) {
        kernels::parallel_for(threads, layout.outputs, [&](std::size_t output) {
            const float* from =
                weights.data() + output * layout.output_stride + element * layout.element_stride;
            for (std::size_t c = 0; c < channels; ++c) {
                rows[output * channels + c] = from[c * layout.area * layout.element_stride];
            }
        });
        products.add(rows, {});
    }
    std::vector<double> result(channels * channels);
    for (std::size_t i = 0; i < channels; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            result[i * channels + j] = result[j * channels + i] = products.moment(i, j);
        }
    }
    return result;
}

/// How the layer after a convolution weights its channels.
std::vector<double> next_importance(const model::ModelFile& model, std::size_t convolution) {
    const auto& convolutions = model.network().convolutions();
    const std::size_t channels = convolutions[convolution].output_channels;
    if (convolution + 1 < convolutions.size()) {
        const model::ConvolutionLayer& next = convolutions[convolution + 1];
        constexpr std::size_t taps = 9;
        return importance(model.tensor(model::weight_name(next.name)).as<float>(),
                          {next.output_channels, channels, taps, channels * taps, 1});
    }
    const model::DenseLayer& dense = model.network().dense_layers().front();
    const bool input_major = model.order(dense) == model::DenseOrder::input_major;
    return importance(model.weight(dense).as<float>(),
                      {dense.outputs, channels, dense.inputs / channels, input_major ? 1 : dense.inputs,
                       input_major ? dense.outputs : 1});
}

}  // namespace

std::vector<std::size_t> activation_order(const model::ModelFile& model, std::size_t convolution,
                                          const LeastSquares& moments) {
    return least_loss_order(moments, next_importance(model, convolution));
}

std::vector<std::size_t> activation_order(const model::ModelFile& model, std::size_t hidden_layer,
                                          const HiddenSamples& samples) {
    const std::size_t convolutions = model.network().convolutions().size();
    const std::size_t reader = prunable_layers(model.network())[convolutions + hidden_layer].reader;
    const model::DenseLayer& layer = model.network().dense_layers()[reader - convolutions];
    const bool input_major = model.order(layer) == model::DenseOrder::input_major;
    return selection_order(samples, {model.weight(layer).as<float>(), layer.outputs, input_major},
                           kernels::available_cpus());
}

ActivationOrder by_activation(const model::ModelFile& model, const ChannelStatistics& statistics) {
    return [&](std::size_t layer) {
        const std::size_t convolutions = statistics.moments.size();
        return layer < convolutions
                   ? activation_order(model, layer, statistics.moments[layer])
                   : activation_order(model, layer - convolutions, statistics.hidden[layer - convolutions]);
    };
}

}  // namespace vgg19::converter
