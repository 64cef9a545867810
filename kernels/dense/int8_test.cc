#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <vector>

#include "kernels/common/testing/golden.h"
#include "kernels/common/testing/random.h"
#include "kernels/dense/testing_layer.h"

namespace vgg19::kernels {

namespace {

using testing::Random;

constexpr std::uint8_t input_corners[] = {0, 127, 128, 255};
constexpr std::int8_t weight_corners[] = {-128, -127, 127};

/// Scales are one and biases zero, so that outputs equal the sums.
struct Layer : testing::DenseLayer {
    Layer(std::size_t inputs, std::size_t outputs, std::size_t batch)
        : DenseLayer(DenseWeights::int8_output_major, inputs, outputs, batch) {}
};

/// Every second value is an extreme one, so that extremes are combined with each other and with all other
/// values.
void fill_values(Layer& layer, Random& random) {
    for (auto& value : layer.int8_input) {
        const int corner = random.integer(0, 2 * static_cast<int>(std::size(input_corners)) - 1);
        value = corner < static_cast<int>(std::size(input_corners))
                    ? input_corners[corner]
                    : static_cast<std::uint8_t>(random.integer(0, 255));
    }
    for (auto& value : layer.int8_weights) value = testing::random_int8_weight(random);
}

/// How many outputs differ from the exact sum, which must fit a float.
std::size_t wrong_accumulators(const Layer& layer) {
    const Dense& problem = layer.problem;
    std::size_t wrong = 0;
    for (std::size_t image = 0; image < problem.batch; ++image) {
        for (std::size_t output = 0; output < problem.outputs; ++output) {
            const double found = problem.output[image * problem.outputs + output];
            if (found != static_cast<double>(testing::int8_sum(layer, image, output))) ++wrong;
        }
    }
    return wrong;
}

}  // namespace

TEST_CASE("dense INT8 kernels accumulate exactly") {
    testing::Golden golden("dense_int8");
    Random random;
    INFO(random.replay());
    testing::for_each_dense_size([&](std::size_t inputs, std::size_t outputs, std::size_t batch) {
        Layer layer(inputs, outputs, batch);  // at most 129 · 255 · 128 < 2^24: every sum is exact in float
        fill_values(layer, random);
        CAPTURE(inputs);
        CAPTURE(outputs);
        CAPTURE(batch);
        testing::for_each_kernel_of(layer, [&](const auto& kernel) {
            kernel.run(layer.problem, 0, outputs);
            golden.add(kernel.name, layer.output);
            CHECK(wrong_accumulators(layer) == 0);
        });
    });
    golden.check();
}

TEST_CASE("dense INT8 kernels do not saturate where all values are the same corner") {
    for (const std::size_t inputs : testing::dense_sizes) {
        for (const std::uint8_t input : input_corners) {
            for (const std::int8_t weight : weight_corners) {
                Layer layer(inputs, 5, 3);
                std::fill(layer.int8_input.begin(), layer.int8_input.end(), input);
                std::fill(layer.int8_weights.begin(), layer.int8_weights.end(), weight);
                CAPTURE(inputs);
                CAPTURE(static_cast<int>(input));
                CAPTURE(static_cast<int>(weight));
                testing::for_each_kernel_of(layer, [&](const auto& kernel) {
                    kernel.run(layer.problem, 0, 5);
                    CHECK(wrong_accumulators(layer) == 0);
                });
            }
        }
    }
}

TEST_CASE("dense INT8 kernels hold the largest sums of the most inputs") {
    Layer layer(dense_int8_max_inputs, 6, 2);
    std::fill(layer.int8_input.begin(), layer.int8_input.end(), std::uint8_t{255});
    const auto middle = layer.int8_weights.begin() + 3 * dense_int8_max_inputs;
    std::fill(layer.int8_weights.begin(), middle, std::int8_t{-128});
    std::fill(middle, layer.int8_weights.end(), std::int8_t{127});
    testing::for_each_kernel_of(layer, [&](const auto& kernel) {
        kernel.run(layer.problem, 0, 6);
        for (std::size_t image = 0; image < 2; ++image) {
            for (std::size_t output = 0; output < 6; ++output) {
                const auto sum = static_cast<float>(testing::int8_sum(layer, image, output));
                CHECK(layer.output[image * 6 + output] == sum);
            }
        }
    });
    CHECK(testing::int8_sum(layer, 0, 0) == -2147483520);
}

TEST_CASE("dense INT8 kernels give the same bits on every ISA") {
    Random random;
    INFO(random.replay());
    Layer layer(1021, 129, 5);
    fill_values(layer, random);
    testing::fill_scales_and_bias(layer, random);

    std::size_t fused_differs = 0;
    const std::vector<float> without_relu = testing::int8_outputs(layer);
    for (std::size_t i = 0; i < without_relu.size(); ++i) {
        const auto sum = static_cast<float>(testing::int8_sum(layer, i / 129, i % 129));
        const float fused =
            std::fma(sum, layer.input_scale[i / 129] * layer.int8_scale[i % 129], layer.bias[i % 129]);
        if (without_relu[i] != fused) ++fused_differs;
    }
    CHECK_MESSAGE(fused_differs > 0, "these values cannot tell a fused multiply-add");

    for (const bool relu : {false, true}) {
        layer.problem.relu = relu;
        const std::vector<float> expected = testing::int8_outputs(layer);
        testing::for_each_kernel_of(layer, [&](const auto& kernel) {
            kernel.run(layer.problem, 0, 129);
            CHECK(std::equal(expected.begin(), expected.end(), layer.output.begin()));
        });
    }
}

TEST_CASE("dense INT8 kernels give the same bits for any range and batch") {
    Random random;
    INFO(random.replay());
    for (const std::size_t inputs : {1U, 15U, 64U, 129U, 1021U}) {
        for (const std::size_t outputs : {1U, 4U, 7U, 33U}) {
            Layer layer(inputs, outputs, testing::dense_largest_batch);
            fill_values(layer, random);
            testing::fill_scales_and_bias(layer, random);
            CAPTURE(inputs);
            CAPTURE(outputs);
            testing::for_each_kernel_of(
                layer, [&](const auto& kernel) { testing::check_ranges_and_batches(kernel, layer, random); });
        }
    }
}

TEST_CASE("dense INT8 kernels apply ReLU only when asked") {
    Layer layer(33, 2, 3);
    std::fill(layer.int8_input.begin(), layer.int8_input.end(), std::uint8_t{2});
    std::fill_n(layer.int8_weights.begin(), 33, std::int8_t{-1});
    std::fill_n(layer.int8_weights.begin() + 33, 33, std::int8_t{1});
    testing::for_each_kernel_of(layer, [&](const auto& kernel) {
        for (const bool relu : {false, true}) {
            layer.problem.relu = relu;
            kernel.run(layer.problem, 0, 2);
            for (std::size_t image = 0; image < 3; ++image) {
                CHECK(layer.output[image * 2] == (relu ? 0.0F : -66.0F));
                CHECK(layer.output[image * 2 + 1] == 66.0F);
            }
        }
    });
}

TEST_CASE("dense INT8 kernels without inputs give the bias") {
    Layer layer(0, 5, 2);
    for (std::size_t o = 0; o < 5; ++o) layer.bias[o] = static_cast<float>(o);
    testing::for_each_kernel_of(layer, [&](const auto& kernel) {
        kernel.run(layer.problem, 0, 5);
        for (std::size_t i = 0; i < 10; ++i) CHECK(layer.output[i] == static_cast<float>(i % 5));
    });
}

}  // namespace vgg19::kernels
