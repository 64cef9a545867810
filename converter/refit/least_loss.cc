#include "converter/refit/least_loss.h"

#include <span>

#include "converter/prune/prunable_layers.h"
#include "converter/refit/moments.h"
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

/// How the next layer weights the channels of one of prunable_layers().
std::vector<double> next_importance(const model::ModelFile& model, std::size_t layer) {
    const PrunableLayer from = prunable_layers(model.network())[layer];
    const auto& convolutions = model.network().convolutions();
    if (from.reader < convolutions.size()) {
        const model::ConvolutionLayer& next = convolutions[from.reader];
        constexpr std::size_t taps = 9;
        return importance(model.tensor(model::weight_name(next.name)).as<float>(),
                          {next.output_channels, from.channels, taps, from.channels * taps, 1});
    }
    const model::DenseLayer& dense = model.network().dense_layers()[from.reader - convolutions.size()];
    const bool input_major = model.order(dense) == model::DenseOrder::input_major;
    return importance(model.weight(dense).as<float>(),
                      {dense.outputs, from.channels, dense.inputs / from.channels,
                       input_major ? 1 : dense.inputs, input_major ? dense.outputs : 1});
}

}  // namespace

std::vector<std::size_t> activation_order(const model::ModelFile& model, std::size_t layer,
                                          const LeastSquares& moments) {
    return least_loss_order(moments, next_importance(model, layer));
}

ActivationOrder by_activation(const model::ModelFile& model, const std::vector<LeastSquares>& moments) {
    return [&](std::size_t layer) { return activation_order(model, layer, moments[layer]); };
}

}  // namespace vgg19::converter
