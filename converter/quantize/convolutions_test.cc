#include "converter/quantize/convolutions.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "converter/testing/random_model.h"
#include "engine/testing/error_of.h"
#include "kernels/common/blocked_layout.h"

namespace vgg19::converter {

namespace {

using kernels::testing::Random;
using model::ModelFile;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

constexpr std::size_t channels = 5;
constexpr std::size_t side = 6;
constexpr std::size_t block = 8;

/// features.2 with few channels, its inputs, and their calibration statistics.
struct Layer {
    Random random;
    vgg19::testing::TemporaryFolder folder;
    testing::RandomModel weights{model::Network::parse("5 7 M 5 M 6 M 7 M 9 M", "17 16 10"), random};
    std::vector<float> map = std::vector<float>(kernels::blocked_size(1, channels, side, side, block));
    ConvolutionStatistics statistics{channels};

    void give(float low, float high) {
        for (std::size_t i = 0; i < map.size(); ++i) {
            map[i] = i % block < channels ? std::max(random.uniform(low, high), 0.0F) : 0;
        }
        statistics.add({map.data(), channels, side, block}, 9, 1);
    }

    QuantizedConvolution quantize(const ConvolutionOptions& options = {}) {
        const ModelFile model = weights.write(folder / "model");
        return quantize_convolution(model.network().convolutions()[1], model, statistics, options);
    }
};

/// The mean over the map of Σ w·x for one output.
double mean_output(const Layer& layer, const float* weights) {
    double sum = 0;
    for (std::size_t i = 0; i < channels * 9; ++i) {
        sum += static_cast<double>(weights[i]) * layer.statistics.tap_mean(i / 9, i % 9);
    }
    return sum;
}

}  // namespace

TEST_CASE("an input's largest value becomes 255 steps, and a transformed one's 127 or, of sums, 255") {
    Layer layer;
    INFO(layer.random.replay());
    layer.give(-1, 3);
    const QuantizedConvolution result = layer.quantize({.range = RangeMethod::max});
    const float largest = layer.statistics.inputs().largest();
    CHECK(result.input_scale == largest / 255);
    CHECK(result.clipped == 0);
    for (std::size_t p = 0; p < model::winograd_positions; ++p) {
        const float step = layer.statistics.transformed()[p].largest() / (p == 5 ? 255 : 127);
        // Rounding the kernel's multiplier to an integer makes the scale slightly larger.
        CHECK(result.winograd_input_scale[p] >= step * 0.999999F);
        CHECK(result.winograd_input_scale[p] <= step * 1.01F);
        const float multiplier = 1024 * result.input_scale / result.winograd_input_scale[p];
        CHECK(multiplier == doctest::Approx(std::nearbyint(multiplier)).epsilon(1e-6));
    }
    for (std::size_t p = 0; p < model::winograd_f4x4_positions; ++p) {
        const float step = layer.statistics.transformed<TileF4x4>()[p].largest() / (p == 5 ? 255 : 127);
        CHECK(result.winograd_f4x4_input_scale[p] >= step * 0.999999F);
        CHECK(result.winograd_f4x4_input_scale[p] <= std::max(step * 1.001F, largest / 255 * 1.0001F));
        const float multiplier = 32768 * result.input_scale / result.winograd_f4x4_input_scale[p];
        CHECK(multiplier == doctest::Approx(std::nearbyint(multiplier)).epsilon(1e-6));
    }
}

TEST_CASE("the corrected bias restores the outputs' mean") {
    Layer layer;
    INFO(layer.random.replay());
    layer.give(0, 3);
    const auto& weights = layer.weights.values("features.2.weight");
    const auto& bias = layer.weights.values("features.2.bias");
    const QuantizedConvolution plain = layer.quantize({.bias_correction = false});
    const QuantizedConvolution corrected = layer.quantize();
    CHECK(plain.bias == bias);
    CHECK(corrected.bias != bias);
    for (std::size_t output = 0; output < 7; ++output) {
        std::vector<float> rounded;
        for (const std::int8_t value : corrected.weights.row(output)) {
            rounded.push_back(static_cast<float>(value) * corrected.weights.scales[output]);
        }
        const double expected =
            mean_output(layer, &weights[output * channels * 9]) + static_cast<double>(bias[output]);
        const double found = mean_output(layer, rounded.data()) + static_cast<double>(corrected.bias[output]);
        CHECK(found == doctest::Approx(expected).epsilon(1e-5));
    }
}

TEST_CASE("the errors on tiles come from rounding, and are larger for Winograd") {
    Layer layer;
    INFO(layer.random.replay());
    layer.give(-1, 3);
    const QuantizedConvolution result = layer.quantize();
    CHECK(result.error.direct > 1e-4);
    CHECK(result.error.direct < 0.02);
    CHECK(result.error.winograd > result.error.direct);
    CHECK(result.error.winograd < 0.05);
    CHECK(result.winograd.f2x2);
    CHECK(result.error.winograd_f4x4 > result.error.direct);
    CHECK(result.error.winograd_f4x4 < 0.05);
    CHECK(result.winograd.f4x4);
}

TEST_CASE("values that fit 8 bits exactly have no error, direct or by Winograd") {
    Layer layer;
    INFO(layer.random.replay());
    layer.give(0, 1);
    for (float& value : layer.map) value = std::nearbyint(value * 31);
    layer.statistics = ConvolutionStatistics(channels);
    layer.statistics.add({layer.map.data(), channels, side, block}, 9, 1);
    std::vector<float> weights(7 * channels * 9);
    for (std::size_t i = 0; i < weights.size(); i += 9) weights[i] = i % 2 == 0 ? 127 : -127;
    const std::vector<float> bias(7, 1000);
    QuantizedWeights quantized = {.values = std::make_unique<std::int8_t[]>(weights.size()),
                                  .outputs = 7,
                                  .inputs = channels * 9,
                                  .scales = std::vector<float>(7, 1)};
    for (std::size_t i = 0; i < weights.size(); ++i) {
        quantized.values[i] = static_cast<std::int8_t>(weights[i]);
    }
    Int8Convolution int8 = {.weights = quantized, .bias = bias, .input_scale = 1};
    int8.winograd_input_scale.fill(1);
    int8.winograd_f4x4_input_scale.fill(1);
    const TileError exact = tile_error(layer.statistics, weights, bias, int8, 2);
    CHECK(exact.direct < 1e-6);
    CHECK(exact.winograd < 1e-6);
    // F(4×4) sums more pixels, of up to 31 steps, than 127 steps hold: only in its filters is it exact.
    CHECK(exact.winograd_f4x4 < 0.1);

    int8.winograd_input_scale.fill(0.1F);  // clips most
    int8.winograd_f4x4_input_scale.fill(0.1F);
    CHECK(tile_error(layer.statistics, weights, bias, int8, 1).winograd > 0.1);
    int8.winograd_input_scale.fill(16);  // coarse
    int8.winograd_f4x4_input_scale.fill(32);
    CHECK(tile_error(layer.statistics, weights, bias, int8, 1).winograd > 0.01);
    CHECK(tile_error(layer.statistics, weights, bias, int8, 1).winograd_f4x4 > 0.01);
    int8.input_scale = 8;
    CHECK(tile_error(layer.statistics, weights, bias, int8, 1).direct > 0.01);
}

TEST_CASE("a layer with too large a Winograd error runs direct") {
    Layer layer;
    INFO(layer.random.replay());
    // The input channel with the large weights is always zero. The other's weights are one quantization step,
    // which is exact, but in the transformed domain only a small fraction of a step.
    auto& weights = layer.weights.values("features.2.weight");
    auto& bias = layer.weights.values("features.2.bias");
    std::fill(weights.begin(), weights.end(), 0.0F);
    std::fill(bias.begin(), bias.end(), 0.0F);
    for (std::size_t output = 0; output < 7; ++output) {
        float* filter = &weights[output * channels * 9];
        std::fill(filter, filter + 9, 127.0F);
        filter[9] = 1;
    }
    for (std::size_t i = 0; i < layer.map.size(); ++i) {
        layer.map[i] = i % block == 1 ? layer.random.uniform(0, 255) : 0;
    }
    layer.statistics.add({layer.map.data(), channels, side, block}, 9, 1);
    const QuantizedConvolution result = layer.quantize();
    CHECK(result.error.direct < 0.01);
    CHECK(result.error.winograd > largest_winograd_error);
    CHECK_FALSE(result.winograd.f2x2);
    CHECK(result.error.winograd_f4x4 > largest_winograd_error);
    CHECK_FALSE(result.winograd.f4x4);
    CHECK(result.tensors().size() == result.tensors({.f2x2 = true, .f4x4 = true}).size() - 2);
}

TEST_CASE("a layer with only zero inputs still has valid scales") {
    Layer layer;
    INFO(layer.random.replay());
    layer.give(-2, -1);
    for (const RangeMethod range : {RangeMethod::max, RangeMethod::percentile, RangeMethod::mse}) {
        const QuantizedConvolution result = layer.quantize({.range = range});
        CHECK(result.input_scale == 1);
        for (const float scale : result.winograd_input_scale) CHECK((scale > 0 && std::isfinite(scale)));
        for (const float scale : result.winograd_f4x4_input_scale) {
            CHECK((scale > 0 && std::isfinite(scale)));
        }
        CHECK(result.error.direct == doctest::Approx(0));
    }
}

TEST_CASE("scales are positive and finite for inputs of any size") {
    for (const float size : {1e-44F, 1e-38F, 1e-30F, 1e30F}) {
        CAPTURE(size);
        Layer layer;
        INFO(layer.random.replay());
        layer.give(0, size);
        const QuantizedConvolution result = layer.quantize();
        CHECK(result.input_scale > 0);
        CHECK(std::isfinite(1 / result.input_scale));
        for (const float scale : result.winograd_input_scale) CHECK((scale > 0 && std::isfinite(scale)));
        for (const float scale : result.winograd_f4x4_input_scale) {
            CHECK((scale > 0 && std::isfinite(scale)));
        }
    }
}

TEST_CASE("tensors have the engine's names, with Winograd's if it may run") {
    Layer layer;
    INFO(layer.random.replay());
    layer.give(-1, 3);
    const QuantizedConvolution result = layer.quantize();
    const auto names = [](const std::vector<model::Tensor>& tensors) {
        std::vector<std::string> all(tensors.size());
        std::transform(tensors.begin(), tensors.end(), all.begin(),
                       [](const auto& tensor) { return tensor.name; });
        return all;
    };
    const std::vector<std::string> direct = {"features.2.weight", "features.2.weight_scale",
                                             "features.2.bias", "features.2.input_scale"};
    CHECK(names(result.tensors(WinogradTiles{})) == direct);
    CHECK(names(result.tensors({.f2x2 = true})).back() == "features.2.winograd_input_scale");
    CHECK(names(result.tensors({.f4x4 = true})).back() == "features.2.winograd_f4x4_input_scale");
    CHECK(names(result.tensors()).size() == direct.size() + 2);
    const ModelFile with = ModelFile::open(layer.folder / "model").with(result.tensors());
    CHECK(with.is_int8("features.2"));
}

TEST_CASE("a convolution with weights that are not finite is refused by name") {
    Layer layer;
    layer.give(0, 1);
    const ModelFile model = layer.weights.write(layer.folder / "model");
    std::vector<float> weights = layer.weights.values("features.2.weight");
    weights[2 * channels * 9 + 4] = std::numeric_limits<float>::quiet_NaN();
    const std::vector<model::Tensor> tensors = {
        {"features.2.weight", model::DType::f32, {7, channels, 3, 3}, std::as_bytes(std::span(weights))},
        model.tensor("features.2.bias")};
    const ModelFile broken = model.with(tensors);
    CHECK(error_of(ErrorKind::bad_input, [&] {
              std::ignore =
                  quantize_convolution(model.network().convolutions()[1], broken, layer.statistics, {});
          }) == Containing("tensor features.2.weight: output 2: expected finite weights"));
}

}  // namespace vgg19::converter
