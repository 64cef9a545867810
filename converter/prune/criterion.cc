#include "converter/prune/criterion.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <string>
#include <utility>

#include "converter/prune/prunable_layers.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// The weights that make a layer's outputs: (outputs, inputs) or the transposed.
struct OutputWeights {
    const model::Tensor& tensor;
    bool input_major = false;
};

OutputWeights output_weights(const model::ModelFile& model, std::size_t layer) {
    const auto& convolutions = model.network().convolutions();
    if (layer < convolutions.size()) {
        return {model.tensor(model::weight_name(convolutions[layer].name))};
    }
    // Of a factored layer, the second factor's rows make the outputs.
    const std::size_t reader = prunable_layers(model.network())[layer].reader;
    const model::DenseLayer& dense = model.network().dense_layers()[reader - convolutions.size() - 1];
    return {model.weight(dense), model.order(dense) == model::DenseOrder::input_major};
}

/// Each filter's L1 norm, or the square of its L2 norm (which gives the same order).
std::vector<double> filter_norms(const OutputWeights& weights, Criterion criterion) {
    const auto values = weights.tensor.as<float>();
    const std::size_t filters = weights.tensor.shape[weights.input_major ? 1 : 0];
    const std::size_t filter_size = values.size() / filters;
    std::vector<double> norms(filters);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double magnitude = std::abs(static_cast<double>(values[i]));
        norms[weights.input_major ? i % filters : i / filter_size] +=
            criterion == Criterion::l2 ? magnitude * magnitude : magnitude;
    }
    for (std::size_t filter = 0; filter < filters; ++filter) {
        if (std::isfinite(norms[filter])) continue;
        throw Error(ErrorKind::bad_input, "tensor " + weights.tensor.name + ": filter " +
                                              std::to_string(filter) +
                                              ": expected finite weights, found NaN or infinity");
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

std::vector<std::size_t> removal_order(const model::ModelFile& model, std::size_t layer, Criterion criterion,
                                       std::uint64_t seed, const ActivationOrder& activation_order) {
    if (criterion == Criterion::random) {
        constexpr std::uint64_t seeds_apart = 1000003;
        const PrunableLayer found = prunable_layers(model.network())[layer];
        const std::uint64_t place =
            found.part == Part::features ? found.index : seeds_apart - 1 - found.index;
        return shuffled(found.channels, seed * seeds_apart + place);
    }
    if (criterion == Criterion::activation) {
        if (!activation_order) {
            throw Error(ErrorKind::usage, "filters by their activation: expected calibration images");
        }
        return activation_order(layer);
    }
    return smallest_first(filter_norms(output_weights(model, layer), criterion));
}

}  // namespace vgg19::converter
