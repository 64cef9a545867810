#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/common/blocked_layout.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/random.h"
#include "kernels/conv_direct/conv_direct.h"
#include "kernels/reference/conv_reference.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;

/// Random data for a convolution, in plain layouts.
struct Data {
    Data(const ConvDirect& shape, testing::Random& random)
        : input(shape.batch * shape.input_channels * shape.height * shape.width),
          weights(shape.output_channels * shape.input_channels * 9),
          bias(shape.output_channels) {
        random.fill(input, -1, 1);
        random.fill(weights, -1, 1);
        random.fill(bias, -1, 1);
    }
    std::vector<float> input;
    std::vector<float> weights;
    GuardedBuffer<float> bias;
};

/// One output, computed literally as defined in conv_direct.h.
double definition(const ConvDirect& plain, std::size_t image, std::size_t output_channel, std::size_t y,
                  std::size_t x) {
    double sum = plain.bias[output_channel];
    for (std::size_t c = 0; c < plain.input_channels; ++c) {
        for (std::size_t r = 0; r < 3; ++r) {
            for (std::size_t s = 0; s < 3; ++s) {
                if (y + r < 1 || y + r > plain.height || x + s < 1 || x + s > plain.width) continue;
                const std::size_t map = (image * plain.input_channels + c) * plain.height;
                sum += double{plain.input[(map + y + r - 1) * plain.width + x + s - 1]} *
                       double{plain.weights[((output_channel * plain.input_channels + c) * 3 + r) * 3 + s]};
            }
        }
    }
    return plain.relu ? std::max(sum, 0.0) : sum;
}

ConvDirect with_plain_data(ConvDirect shape, const Data& data) {
    shape.input = data.input.data();
    shape.weights = data.weights.data();
    shape.bias = data.bias.data();
    return shape;
}

void fill_blocked(const ConvDirect& plain, GuardedBuffer<float>& blocked) {
    const float* value = plain.input;
    for (std::size_t image = 0; image < plain.batch; ++image) {
        for (std::size_t channel = 0; channel < plain.input_channels; ++channel) {
            for (std::size_t row = 0; row < plain.height; ++row) {
                for (std::size_t column = 0; column < plain.width; ++column) {
                    blocked[blocked_index(plain.input_channels, plain.height, plain.width, plain.block, image,
                                          channel, row, column)] = *value++;
                }
            }
        }
    }
}

/// Compares a blocked output with the reference of a plain problem. They may differ by 2 · K · ε times the
/// summed magnitudes, since each of K products and additions rounds by ε / 2. Returns the relative L2
/// distance.
double check_output(const ConvDirect& plain, const float* output) {
    const std::size_t count = plain.batch * plain.output_channels * plain.height * plain.width;
    std::vector<double> reference(count);
    std::vector<double> magnitude(count);
    conv_reference(plain, reference.data(), magnitude.data());
    const double roundings = 2 * (9 * static_cast<double>(plain.input_channels) + 1);
    double squared_error = 0;
    double squared_sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t column = i % plain.width;
        const std::size_t row = i / plain.width % plain.height;
        const std::size_t channel = i / plain.width / plain.height % plain.output_channels;
        const std::size_t image = i / plain.width / plain.height / plain.output_channels;
        const float value = output[blocked_index(plain.output_channels, plain.height, plain.width,
                                                 plain.block, image, channel, row, column)];
        const double error = double{value} - reference[i];
        REQUIRE(std::abs(error) <= roundings * std::numeric_limits<float>::epsilon() * magnitude[i]);
        squared_error += error * error;
        squared_sum += reference[i] * reference[i];
    }
    return std::sqrt(squared_error / squared_sum);
}

void check_padding_is_zero(const ConvDirect& problem, const float* output) {
    const std::size_t blocks = blocks_of(problem.output_channels, problem.block);
    const std::size_t map = problem.height * problem.width;
    for (std::size_t image = 0; image < problem.batch; ++image) {
        for (std::size_t channel = problem.output_channels; channel < blocks * problem.block; ++channel) {
            const std::size_t first = (image * blocks + channel / problem.block) * map * problem.block;
            for (std::size_t pixel = 0; pixel < map; ++pixel) {
                REQUIRE(output[first + pixel * problem.block + channel % problem.block] == 0);
            }
        }
    }
}

/// Returns the largest relative L2 distance of all kernels.
double check(const ConvDirect& shape, testing::Random& random) {
    CAPTURE(shape.input_channels);
    CAPTURE(shape.output_channels);
    CAPTURE(shape.height);
    CAPTURE(shape.width);
    CAPTURE(shape.block);
    CAPTURE(shape.plain_input);
    CAPTURE(shape.relu);
    const Data data(shape, random);
    const ConvDirect plain = with_plain_data(shape, data);

    GuardedBuffer<float> blocked(
        blocked_size(shape.batch, shape.input_channels, shape.height, shape.width, shape.block));
    fill_blocked(plain, blocked);
    GuardedBuffer<float> image(data.input.size());
    std::copy(data.input.begin(), data.input.end(), image.begin());
    GuardedBuffer<float> packed(
        conv_direct_packed_size(shape.input_channels, shape.output_channels, shape.block));
    conv_direct_pack(shape.input_channels, shape.output_channels, shape.block, plain.weights, packed.data());

    ConvDirect problem = plain;
    problem.input = shape.plain_input ? image.data() : blocked.data();
    problem.weights = packed.data();
    const std::size_t rows = shape.batch * blocks_of(shape.output_channels, shape.block) * shape.height;
    double largest_distance = 0;
    for (const auto& kernel : conv_direct_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        CAPTURE(std::string(kernel.name));
        GuardedBuffer<float> output(rows * shape.width * shape.block);
        std::fill(output.begin(), output.end(), std::numeric_limits<float>::quiet_NaN());
        problem.output = output.data();
        kernel.run(problem, rows / 3, rows);
        kernel.run(problem, 0, rows / 3);
        largest_distance = std::max(largest_distance, check_output(plain, output.data()));
        check_padding_is_zero(problem, output.data());
    }
    return largest_distance;
}

}  // namespace

TEST_CASE("the convolution reference equals the definition") {
    testing::Random random;
    INFO(random.replay());
    constexpr std::size_t sizes[][2] = {{1, 1}, {1, 5}, {2, 2}, {5, 1}, {7, 6}};
    for (const auto& [height, width] : sizes) {
        for (const bool relu : {true, false}) {
            const ConvDirect shape = {.batch = 2,
                                      .input_channels = 3,
                                      .output_channels = 4,
                                      .height = height,
                                      .width = width,
                                      .relu = relu};
            const Data data(shape, random);
            const ConvDirect plain = with_plain_data(shape, data);
            std::vector<double> output(shape.batch * shape.output_channels * height * width);
            conv_reference(plain, output.data(), nullptr);
            for (std::size_t i = 0; i < output.size(); ++i) {
                const std::size_t map = i / width / height;
                const double value = definition(plain, map / 4, map % 4, i / width % height, i % width);
                REQUIRE(output[i] == doctest::Approx(value).epsilon(1e-12));
            }
        }
    }
}

TEST_CASE("the magnitude of the convolution reference is its sum without signs") {
    const std::vector<float> input = {-1, 2, 3, -4};
    const std::vector<float> weights = {1, 1, 1, 1, -10, 1, 1, 1, 1};
    const float bias = -5;
    ConvDirect plain = {.input_channels = 1, .output_channels = 1, .height = 2, .width = 2};
    plain.input = input.data();
    plain.weights = weights.data();
    plain.bias = &bias;
    std::vector<double> output(4);
    std::vector<double> magnitude(4);
    conv_reference(plain, output.data(), magnitude.data());
    CHECK(output == std::vector<double>{6, 0, 0, 39});
    CHECK(magnitude == std::vector<double>{24, 33, 42, 51});
}

TEST_CASE("packed weights hold each filter in its lane, and zeros past the last") {
    testing::Random random;
    INFO(random.replay());
    constexpr std::size_t inputs = 3;
    constexpr std::size_t outputs = 11;
    std::vector<float> weights(outputs * inputs * 9);
    random.fill(weights, 1, 2);
    for (const std::size_t block : {8U, 16U}) {
        std::vector<float> packed(conv_direct_packed_size(inputs, outputs, block));
        REQUIRE(packed.size() == 16 * inputs * 9);
        conv_direct_pack(inputs, outputs, block, weights.data(), packed.data());
        for (std::size_t channel = 0; channel < 16; ++channel) {
            for (std::size_t tap = 0; tap < inputs * 9; ++tap) {
                const float value = packed[(channel / block * inputs * 9 + tap) * block + channel % block];
                REQUIRE(value == (channel < outputs ? weights[channel * inputs * 9 + tap] : 0));
            }
        }
    }
}

TEST_CASE("direct convolution equals the reference") {
    testing::Random random;
    INFO(random.replay());
    constexpr std::size_t sizes[][2] = {{1, 1}, {1, 5}, {5, 1}, {2, 2}, {3, 4}, {7, 7}, {9, 4}, {4, 9}};
    constexpr std::size_t channels[][2] = {{1, 1}, {3, 16}, {8, 8}, {13, 17}};
    for (const std::size_t block : {8U, 16U}) {
        for (const bool plain_input : {false, true}) {
            for (const auto& [height, width] : sizes) {
                for (const auto& [input_channels, output_channels] : channels) {
                    for (const bool relu : {true, false}) {
                        check({.batch = 2,
                               .input_channels = input_channels,
                               .output_channels = output_channels,
                               .height = height,
                               .width = width,
                               .block = block,
                               .plain_input = plain_input,
                               .relu = relu},
                              random);
                    }
                }
            }
        }
    }
}

TEST_CASE("direct convolution stays accurate over 512 channels") {
    testing::Random random;
    INFO(random.replay());
    // Uses many outputs, because a few sums may nearly cancel.
    const ConvDirect shape = {
        .input_channels = 512, .output_channels = 16, .height = 7, .width = 7, .block = 8};
    CHECK(check(shape, random) <= 2e-6);
}

}  // namespace vgg19::kernels
