#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <vector>

#include "kernels/common/testing/dense.h"
#include "kernels/common/testing/golden.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/random.h"
#include "kernels/dense_int8/dense_int8.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;
using testing::Random;

constexpr std::uint8_t input_corners[] = {0, 127, 128, 255};
constexpr std::int8_t weight_corners[] = {-128, -127, 127};

/// A problem whose buffers end at guard pages; scales are one and biases zero, so that its outputs are the
/// accumulators.
struct Layer {
    Layer(std::size_t inputs, std::size_t outputs, std::size_t batch)
        : input(batch * inputs),
          input_scale(batch),
          weights(outputs * inputs),
          weight_scale(outputs),
          bias(outputs),
          output(batch * outputs) {
        std::fill(input_scale.begin(), input_scale.end(), 1.0F);
        std::fill(weight_scale.begin(), weight_scale.end(), 1.0F);
        problem.batch = batch;
        problem.inputs = inputs;
        problem.outputs = outputs;
        problem.input = input.data();
        problem.input_scale = input_scale.data();
        problem.weights = weights.data();
        problem.weight_scale = weight_scale.data();
        problem.bias = bias.data();
        problem.output = output.data();
    }

    GuardedBuffer<std::uint8_t> input;
    GuardedBuffer<float> input_scale;
    GuardedBuffer<std::int8_t> weights;
    GuardedBuffer<float> weight_scale;
    GuardedBuffer<float> bias;
    GuardedBuffer<float> output;
    DenseInt8 problem;
};

/// Every second value is a corner, so that corners meet corners and everything else.
void fill_values(Layer& layer, Random& random) {
    for (auto& value : layer.input) {
        const int corner = random.integer(0, 2 * static_cast<int>(std::size(input_corners)) - 1);
        value = corner < static_cast<int>(std::size(input_corners))
                    ? input_corners[corner]
                    : static_cast<std::uint8_t>(random.integer(0, 255));
    }
    for (auto& value : layer.weights) {
        const int corner = random.integer(0, 2 * static_cast<int>(std::size(weight_corners)) - 1);
        value = corner < static_cast<int>(std::size(weight_corners))
                    ? weight_corners[corner]
                    : static_cast<std::int8_t>(random.integer(-128, 127));
    }
}

void fill_scales(Layer& layer, Random& random) {
    random.fill(layer.input_scale, 0.001F, 0.1F);
    random.fill(layer.weight_scale, 0.0001F, 0.01F);
    random.fill(layer.bias, -1.0F, 1.0F);
}

std::int64_t accumulator(const DenseInt8& problem, std::size_t image, std::size_t output) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < problem.inputs; ++i) {
        sum += std::int64_t{problem.input[image * problem.inputs + i]} *
               std::int64_t{problem.weights[output * problem.inputs + i]};
    }
    return sum;
}

/// How many outputs are not the exact accumulator, which must be a float.
std::size_t wrong_accumulators(const DenseInt8& problem) {
    std::size_t wrong = 0;
    for (std::size_t image = 0; image < problem.batch; ++image) {
        for (std::size_t output = 0; output < problem.outputs; ++output) {
            const double found = problem.output[image * problem.outputs + output];
            if (found != static_cast<double>(accumulator(problem, image, output))) ++wrong;
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
        Layer layer(inputs, outputs, batch);  // at most 129 · 255 · 128 < 2^24: every accumulator is a float
        fill_values(layer, random);
        CAPTURE(inputs);
        CAPTURE(outputs);
        CAPTURE(batch);
        testing::for_each_usable_kernel(dense_int8_kernels(), [&](const auto& kernel) {
            kernel.run(layer.problem, 0, outputs);
            golden.add(kernel.name, layer.output);
            CHECK(wrong_accumulators(layer.problem) == 0);
        });
    });
    golden.check();
}

TEST_CASE("dense INT8 kernels do not saturate where all values are the same corner") {
    for (const std::size_t inputs : testing::dense_sizes) {
        for (const std::uint8_t input : input_corners) {
            for (const std::int8_t weight : weight_corners) {
                Layer layer(inputs, 5, 3);
                std::fill(layer.input.begin(), layer.input.end(), input);
                std::fill(layer.weights.begin(), layer.weights.end(), weight);
                CAPTURE(inputs);
                CAPTURE(static_cast<int>(input));
                CAPTURE(static_cast<int>(weight));
                testing::for_each_usable_kernel(dense_int8_kernels(), [&](const auto& kernel) {
                    kernel.run(layer.problem, 0, 5);
                    CHECK(wrong_accumulators(layer.problem) == 0);
                });
            }
        }
    }
}

TEST_CASE("dense INT8 kernels hold the largest sums of the most inputs") {
    Layer layer(dense_int8_max_inputs, 6, 2);
    std::fill(layer.input.begin(), layer.input.end(), std::uint8_t{255});
    const auto middle = layer.weights.begin() + 3 * dense_int8_max_inputs;
    std::fill(layer.weights.begin(), middle, std::int8_t{-128});
    std::fill(middle, layer.weights.end(), std::int8_t{127});
    testing::for_each_usable_kernel(dense_int8_kernels(), [&](const auto& kernel) {
        kernel.run(layer.problem, 0, 6);
        for (std::size_t image = 0; image < 2; ++image) {
            for (std::size_t output = 0; output < 6; ++output) {
                const auto sum = static_cast<float>(accumulator(layer.problem, image, output));
                CHECK(layer.output[image * 6 + output] == sum);
            }
        }
    });
    CHECK(accumulator(layer.problem, 0, 0) == -2147483520);
}

TEST_CASE("dense INT8 kernels give the same bits on every ISA") {
    Random random;
    INFO(random.replay());
    Layer layer(1021, 129, 5);
    fill_values(layer, random);
    fill_scales(layer, random);
    layer.problem.relu = random.integer(0, 1) == 1;

    std::vector<float> expected;
    std::size_t fused_differs = 0;
    for (std::size_t image = 0; image < 5; ++image) {
        for (std::size_t output = 0; output < 129; ++output) {
            const auto sum = static_cast<float>(accumulator(layer.problem, image, output));
            const float scale = layer.input_scale[image] * layer.weight_scale[output];
            const volatile float product = sum * scale;  // volatile: rounded before it is added
            const float value = layer.bias[output] + product;
            if (value != std::fma(sum, scale, layer.bias[output])) ++fused_differs;
            expected.push_back(layer.problem.relu ? std::max(value, 0.0F) : value);
        }
    }
    CHECK_MESSAGE(fused_differs > 0, "these values cannot tell a fused multiply-add");

    testing::for_each_usable_kernel(dense_int8_kernels(), [&](const auto& kernel) {
        kernel.run(layer.problem, 0, 129);
        CHECK(std::equal(expected.begin(), expected.end(), layer.output.begin()));
    });
}

TEST_CASE("dense INT8 kernels give the same bits for any range and batch") {
    Random random;
    INFO(random.replay());
    for (const std::size_t inputs : {1U, 15U, 64U, 129U, 1021U}) {
        for (const std::size_t outputs : {1U, 4U, 7U, 33U}) {
            Layer layer(inputs, outputs, testing::dense_largest_batch);
            fill_values(layer, random);
            fill_scales(layer, random);
            CAPTURE(inputs);
            CAPTURE(outputs);
            testing::for_each_usable_kernel(dense_int8_kernels(), [&](const auto& kernel) {
                testing::check_ranges_and_batches(kernel, layer.problem, random);
            });
        }
    }
}

TEST_CASE("dense INT8 kernels apply ReLU only when asked") {
    Layer layer(33, 2, 3);
    std::fill(layer.input.begin(), layer.input.end(), std::uint8_t{2});
    std::fill_n(layer.weights.begin(), 33, std::int8_t{-1});
    std::fill_n(layer.weights.begin() + 33, 33, std::int8_t{1});
    testing::for_each_usable_kernel(dense_int8_kernels(), [&](const auto& kernel) {
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
    testing::for_each_usable_kernel(dense_int8_kernels(), [&](const auto& kernel) {
        kernel.run(layer.problem, 0, 5);
        for (std::size_t i = 0; i < 10; ++i) CHECK(layer.output[i] == static_cast<float>(i % 5));
    });
}

}  // namespace vgg19::kernels
