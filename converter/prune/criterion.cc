#include "converter/prune/criterion.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <string>
#include <utility>

#include "converter/prune/moments.h"
#include "kernels/common/parallel.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// Each filter's L1 norm, or the square of its L2 norm (which gives the same order).
std::vector<double> filter_norms(const model::Tensor& weight, Criterion criterion) {
    const auto values = weight.as<float>();
    const std::size_t filters = weight.shape.front();
    const std::size_t filter_size = values.size() / filters;
    std::vector<double> norms(filters);
    for (std::size_t filter = 0; filter < filters; ++filter) {
        for (const float value : values.subspan(filter * filter_size, filter_size)) {
            const double magnitude = std::abs(static_cast<double>(value));
            norms[filter] += criterion == Criterion::l2 ? magnitude * magnitude : magnitude;
        }
        if (!std::isfinite(norms[filter])) {
            throw Error(ErrorKind::bad_input, "tensor " + weight.name + ": filter " + std::to_string(filter) +
                                                  ": expected finite weights, found NaN or infinity");
        }
    }
    return norms;
}

std::vector<std::size_t> smallest_first(const std::vector<double>& norms) {
    std::vector<std::size_t> order(norms.size());
    std::iota(order.rbegin(), order.rend(), std::size_t{0});  // for equal norms the higher index comes first
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return norms[a] < norms[b]; });
    return order;
}

std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::mt19937_64 random(seed);
    for (std::size_t i = 0; i + 1 < count; ++i) std::swap(order[i], order[i + random() % (count - i)]);
    return order;
}

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

const char* criterion_name(Criterion criterion) {
    switch (criterion) {
        case Criterion::l2:
            return "l2";
        case Criterion::l1:
            return "l1";
        case Criterion::activation:
            return "activation";
        case Criterion::random:
            return "random";
    }
    return "";
}

Criterion criterion_named(std::string_view name) {
    for (const Criterion criterion :
         {Criterion::l2, Criterion::l1, Criterion::activation, Criterion::random}) {
        if (name == criterion_name(criterion)) return criterion;
    }
    throw Error(ErrorKind::usage,
                "--criterion: expected l2, l1, activation or random, found '" + std::string(name) + "'");
}

std::vector<std::size_t> removal_order(const model::ModelFile& model, std::size_t convolution,
                                       Criterion criterion, std::uint64_t seed, const LeastSquares* moments) {
    const model::ConvolutionLayer& layer = model.network().convolutions()[convolution];
    if (criterion == Criterion::random) {
        constexpr std::uint64_t seeds_apart = 1000003;
        return shuffled(layer.output_channels, seed * seeds_apart + layer.features_index);
    }
    if (criterion == Criterion::activation) {
        if (moments == nullptr) {
            throw Error(ErrorKind::usage, "filters by their activation: expected calibration images");
        }
        return least_loss_order(*moments, next_importance(model, convolution));
    }
    return smallest_first(filter_norms(model.tensor(model::weight_name(layer.name)), criterion));
}

}  // namespace vgg19::converter
