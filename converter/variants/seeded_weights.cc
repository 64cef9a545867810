#include "converter/variants/seeded_weights.h"

#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "converter/variants/recipes.h"
#include "engine/model/sha256.h"
#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

constexpr std::uint64_t default_seed = 19;

/// SplitMix64's finaliser (Steele, Lea and Flood, 2014): a bijection with random-looking output.
constexpr std::uint64_t mix(std::uint64_t bits) {
    bits = (bits ^ (bits >> 30U)) * 0xBF58476D1CE4E5B9U;
    bits = (bits ^ (bits >> 27U)) * 0x94D049BB133111EBU;
    return bits ^ (bits >> 31U);
}

/// ln x for a normal, positive x, with an absolute error below 10^-12: x = 2^e · m with m in [√½, √2), and
/// ln m = 2 artanh((m − 1) / (m + 1)) by its series.
double natural_logarithm(double x) {
    constexpr std::uint64_t mantissa = (std::uint64_t{1} << 52U) - 1;
    const auto bits = std::bit_cast<std::uint64_t>(x);
    auto exponent = static_cast<int>(bits >> 52U) - 1023;
    auto m = std::bit_cast<double>((bits & mantissa) | std::bit_cast<std::uint64_t>(1.0));
    if (m > 1.4142135623730951) {
        m /= 2;
        ++exponent;
    }
    const double s = (m - 1) / (m + 1);
    const double square = s * s;
    double series = 1.0 / 13;
    for (int denominator = 11; denominator > 0; denominator -= 2) {
        series = series * square + 1.0 / denominator;
    }
    return 2 * s * series + exponent * 0.69314718055994531;
}

/// The normal quantile at 0.5 + q, |q| < 0.5, to seven digits (AS 241, PPND7). The branch for the far tails,
/// p < e^-25, is omitted: the uniform numbers below are at least 2^-33.
double normal_quantile(double q) {
    constexpr double central_limit = 0.425;
    if (std::abs(q) <= central_limit) {
        const double r = central_limit * central_limit - q * q;
        return q * (((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179) /
               (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1);
    }
    const double r = std::sqrt(-natural_logarithm(0.5 - std::abs(q))) - 1.6;
    const double tail = (((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777) /
                        ((0.12021132975 * r + 0.73700164250) * r + 1);
    return q < 0 ? -tail : tail;
}

std::string seeded_recipe() {
    return "seeded weights, version " + std::to_string(seeded_weights_version) + ", seed " +
           std::to_string(default_seed);
}

/// There is no source file, so use the digest of the recipe.
std::string seeded_digest() {
    const std::string recipe = seeded_recipe();
    return model::sha256_hex(std::as_bytes(std::span(recipe)));
}

/// Maps 32 random bits to the centre of one of 2^32 equal parts of (−½, ½).
double centred_uniform(std::uint64_t bits) {
    return (static_cast<double>(bits & 0xFFFFFFFFU) + 0.5) * 0x1p-32 - 0.5;
}

}  // namespace

void fill_normal(std::span<float> values, float deviation, std::uint64_t seed, std::uint64_t stream,
                 int threads) {
    constexpr std::size_t values_per_task = std::size_t{1} << 16U;
    constexpr std::uint64_t increment = 0x9E3779B97F4A7C15U;
    const std::uint64_t key = mix(mix(seed) + stream * increment);
    const std::size_t tasks = (values.size() + values_per_task - 1) / values_per_task;
    kernels::parallel_for(threads, tasks, [&](std::size_t task) {
        const std::span<float> part =
            values.subspan(task * values_per_task)
                .first(std::min(values_per_task, values.size() - task * values_per_task));
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < part.size(); ++i) {
            // One hash gives two values. A task begins at an even index.
            bits = i % 2 == 0 ? mix(key + (task * values_per_task + i) / 2 * increment) : bits >> 32U;
            part[i] = static_cast<float>(normal_quantile(centred_uniform(bits)) * double{deviation});
        }
    });
}

float initial_deviation(const model::ConvolutionLayer& layer) {
    return static_cast<float>(std::sqrt(2.0 / (9.0 * static_cast<double>(layer.output_channels))));
}

float initial_deviation(const model::DenseLayer& layer) {
    static_cast<void>(layer);
    return 0.01F;
}

model::Description seeded_description(const model::Network& network) {
    const std::string recipe = seeded_recipe();
    return {.network = network,
            .preprocessing = {},
            .variant = baseline_recipe().id,
            .source_sha256 = seeded_digest(),
            .lineage = {recipe}};
}

bool is_seeded(const model::Description& description) {
    static const std::string digest = seeded_digest();
    return description.source_sha256 == digest;
}

void write_seeded_model(const std::filesystem::path& path, const model::Network& network, int threads,
                        const model::Progress& progress) {
    std::vector<std::vector<float>> storage;
    std::vector<model::Tensor> tensors;
    const auto add = [&](const std::string& name, std::vector<std::size_t> shape, float deviation) {
        model::Tensor tensor{
            .name = name, .dtype = model::DType::f32, .shape = std::move(shape), .bytes = {}};
        std::vector<float>& values = storage.emplace_back(tensor.elements());
        if (deviation != 0) fill_normal(values, deviation, default_seed, tensors.size(), threads);
        tensor.bytes = std::as_bytes(std::span(values));
        tensors.push_back(std::move(tensor));
    };
    for (const model::ConvolutionLayer& layer : network.convolutions()) {
        add(model::weight_name(layer.name), {layer.output_channels, layer.input_channels, 3, 3},
            initial_deviation(layer));
        add(model::bias_name(layer.name), {layer.output_channels}, 0);
    }
    for (const model::DenseLayer& layer : network.dense_layers()) {
        const auto weight = model::dense_weight(layer, model::DenseOrder::input_major);
        add(weight.name, weight.shape, initial_deviation(layer));
        add(model::bias_name(layer.name), {layer.outputs}, 0);
    }
    model::write_model(path, seeded_description(network), tensors, progress);
}

}  // namespace vgg19::converter
