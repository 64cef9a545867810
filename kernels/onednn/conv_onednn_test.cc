#include "kernels/onednn/conv_onednn.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/blocked_layout.h"
#include "kernels/common/testing/random.h"
#include "kernels/conv_direct/conv_direct.h"
#include "kernels/reference/conv_reference.h"

namespace vgg19::kernels {

namespace {

struct Problem {
    ConvOneDnnShape shape;
    std::vector<float> input;  ///< plain, like the weights
    std::vector<float> weights;
    std::vector<float> bias;

    Problem(const ConvOneDnnShape& wanted, testing::Random& random)
        : shape(wanted),
          input(shape.batch * shape.input_channels * shape.height * shape.width),
          weights(shape.output_channels * shape.input_channels * 9),
          bias(shape.output_channels) {
        random.fill(input, -1.0F, 1.0F);
        random.fill(weights, -1.0F, 1.0F);
        random.fill(bias, -0.5F, 0.5F);
    }

    std::size_t plain_index(std::size_t channels, std::size_t image, std::size_t channel,
                            std::size_t pixel) const {
        return ((image * channels) + channel) * shape.height * shape.width + pixel;
    }

    /// The input in run()'s layout.
    AlignedBuffer laid_out_input(std::size_t block) const {
        if (shape.plain_input) {
            AlignedBuffer copy(input.size() * sizeof(float));
            std::copy(input.begin(), input.end(), copy.as<float>());
            return copy;
        }
        AlignedBuffer blocked(
            blocked_size(shape.batch, shape.input_channels, shape.height, shape.width, block) *
            sizeof(float));
        for (std::size_t image = 0; image < shape.batch; ++image) {
            for (std::size_t channel = 0; channel < shape.input_channels; ++channel) {
                for (std::size_t pixel = 0; pixel < shape.height * shape.width; ++pixel) {
                    blocked.as<float>()[blocked_index(shape.input_channels, shape.height, shape.width, block,
                                                      image, channel, 0, pixel)] =
                        input[plain_index(shape.input_channels, image, channel, pixel)];
                }
            }
        }
        return blocked;
    }
};

std::vector<float> run(const Problem& problem, Isa isa, int threads) {
    const std::size_t block = channel_block(isa);
    const ConvOneDnn convolution(problem.shape, isa, threads, problem.weights.data(), problem.bias.data());
    const AlignedBuffer input = problem.laid_out_input(block);
    const ConvOneDnnShape& shape = problem.shape;
    AlignedBuffer output(blocked_size(shape.batch, shape.output_channels, shape.height, shape.width, block) *
                         sizeof(float));
    AlignedBuffer scratch(convolution.scratch_bytes());
    // Old contents must not matter, not even in the padding of the last block.
    std::fill_n(output.as<float>(), output.size() / sizeof(float), std::numeric_limits<float>::quiet_NaN());
    convolution.run(input.as<float>(), output.as<float>(), scratch.data());
    return {output.as<float>(), output.as<float>() + output.size() / sizeof(float)};
}

void check_against_reference(const Problem& problem, const std::vector<float>& output, std::size_t block) {
    const ConvOneDnnShape& shape = problem.shape;
    const std::size_t pixels = shape.height * shape.width;
    std::vector<double> expected(shape.batch * shape.output_channels * pixels);
    std::vector<double> magnitude(expected.size());
    conv_reference({.batch = shape.batch,
                    .input_channels = shape.input_channels,
                    .output_channels = shape.output_channels,
                    .height = shape.height,
                    .width = shape.width,
                    .relu = shape.relu,
                    .input = problem.input.data(),
                    .weights = problem.weights.data(),
                    .bias = problem.bias.data()},
                   expected.data(), magnitude.data());
    // A sum of K products in any order has an error of at most K·ε/2 times the sum of their magnitudes, to
    // first order; the bound is four times that. Rounding errors partly cancel, so the L2 norm of the error
    // is much smaller.
    const double terms = 9.0 * static_cast<double>(shape.input_channels) + 1;
    const double tolerance = 2 * terms * static_cast<double>(std::numeric_limits<float>::epsilon());
    double squared_error = 0;
    double squared_norm = 0;
    bool within = true;
    bool padding_is_zero = true;
    for (std::size_t image = 0; image < shape.batch; ++image) {
        for (std::size_t channel = 0; channel < blocks_of(shape.output_channels, block) * block; ++channel) {
            for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
                const double value = output[blocked_index(shape.output_channels, shape.height, shape.width,
                                                          block, image, channel, 0, pixel)];
                if (channel >= shape.output_channels) {
                    padding_is_zero = padding_is_zero && value == 0;
                    continue;
                }
                const std::size_t index = problem.plain_index(shape.output_channels, image, channel, pixel);
                const double error = std::abs(value - expected[index]);
                within = within && error <= tolerance * magnitude[index];
                squared_error += error * error;
                squared_norm += expected[index] * expected[index];
            }
        }
    }
    CHECK(within);
    CHECK(padding_is_zero);
    CHECK(std::sqrt(squared_error) <= 2e-6 * std::sqrt(squared_norm));
}

std::vector<Isa> vector_isas() {
    std::vector<Isa> isas;
    for (const Isa isa : all_isas()) {
        if (runs(isa, Isa::avx2) && cpu_supports(isa)) isas.push_back(isa);
    }
    return isas;
}

}  // namespace

TEST_CASE("conv_onednn agrees with the reference on every ISA, for widths that straddle the channel block") {
    testing::Random random;
    INFO(random.replay());
    const ConvOneDnnShape shapes[] = {
        {.input_channels = 3, .output_channels = 16, .height = 9, .width = 9, .plain_input = true},
        {.input_channels = 3, .output_channels = 5, .height = 8, .width = 7, .plain_input = true},
        {.batch = 2,
         .input_channels = 3,
         .output_channels = 33,
         .height = 5,
         .width = 6,
         .plain_input = true},
        {.input_channels = 1, .output_channels = 1, .height = 1, .width = 1},
        {.input_channels = 7, .output_channels = 9, .height = 3, .width = 2},
        {.input_channels = 8, .output_channels = 8, .height = 2, .width = 2},
        {.batch = 3, .input_channels = 15, .output_channels = 17, .height = 14, .width = 14},
        {.input_channels = 16, .output_channels = 31, .height = 28, .width = 28},
        {.input_channels = 33, .output_channels = 64, .height = 7, .width = 33},
        {.input_channels = 230, .output_channels = 47, .height = 5, .width = 5},
        {.batch = 2,
         .input_channels = 3,
         .output_channels = 33,
         .height = 5,
         .width = 6,
         .plain_input = true,
         .relu = false},
        {.input_channels = 33, .output_channels = 31, .height = 7, .width = 9, .relu = false},
    };
    for (const Isa isa : vector_isas()) {
        for (const ConvOneDnnShape& shape : shapes) {
            CAPTURE(std::string(isa_name(isa)));
            CAPTURE(shape.input_channels);
            CAPTURE(shape.output_channels);
            // oneDNN treats an input narrower than a block as an image, and has no blocked implementation for
            // it.
            const std::size_t block = channel_block(isa);
            const bool is_narrow =
                shape.output_channels < block || (!shape.plain_input && shape.input_channels < block);
            CHECK((is_narrow || ConvOneDnn::supports(shape, isa)));
            if (!ConvOneDnn::supports(shape, isa)) continue;
            const Problem problem(shape, random);
            check_against_reference(problem, run(problem, isa, 2), channel_block(isa));
        }
    }
}

TEST_CASE("conv_onednn runs an implementation of the ISA that was asked for") {
    testing::Random random;
    for (const Isa isa : vector_isas()) {
        const Problem problem({.input_channels = 16, .output_channels = 16, .height = 8, .width = 8}, random);
        const ConvOneDnn convolution(problem.shape, isa, 1, problem.weights.data(), problem.bias.data());
        CHECK(convolution.implementation().find(runs(isa, Isa::avx512) ? "avx512" : "avx2") !=
              std::string::npos);
    }
}

TEST_CASE("conv_onednn gives the same bits for every thread count") {
    testing::Random random;
    INFO(random.replay());
    for (const Isa isa : vector_isas()) {
        const Problem problem({.input_channels = 64, .output_channels = 48, .height = 14, .width = 14},
                              random);
        const std::vector<float> expected = run(problem, isa, 1);
        for (int threads = 2; threads <= 8; ++threads) {
            const std::vector<float> output = run(problem, isa, threads);
            CHECK(std::memcmp(output.data(), expected.data(), expected.size() * sizeof(float)) == 0);
        }
    }
}

TEST_CASE("conv_onednn says when there is no kernel for an ISA") {
    const std::vector<float> weights(8 * 8 * 9);
    const std::vector<float> bias(8);
    const ConvOneDnnShape shape = {.input_channels = 8, .output_channels = 8, .height = 4, .width = 4};
    CHECK_FALSE(ConvOneDnn::supports(shape, Isa::portable));
    CHECK_THROWS_AS(ConvOneDnn(shape, Isa::portable, 1, weights.data(), bias.data()), std::runtime_error);
}

TEST_CASE("oneDNN's Winograd, where there is one, computes the same convolution") {
    testing::Random random;
    INFO(random.replay());
    Problem problem({.input_channels = 64, .output_channels = 32, .height = 28, .width = 28}, random);
    for (const Isa isa : vector_isas()) {
        INFO(isa_name(isa));
        const std::vector<float> direct = run(problem, isa, 2);
        problem.shape.winograd = true;
        if (!ConvOneDnn::supports(problem.shape, isa)) {
            CHECK_THROWS_AS(run(problem, isa, 2), std::runtime_error);
        } else {
            const std::vector<float> winograd = run(problem, isa, 2);
            double squared_error = 0;
            double squared_norm = 0;
            for (std::size_t i = 0; i < direct.size(); ++i) {
                squared_error += std::pow(double{winograd[i]} - double{direct[i]}, 2);
                squared_norm += std::pow(double{direct[i]}, 2);
            }
            CHECK(std::sqrt(squared_error) <= 1e-5 * std::sqrt(squared_norm));
            CHECK(winograd != direct);  // otherwise it would be the direct algorithm again
        }
        problem.shape.winograd = false;
    }
}

}  // namespace vgg19::kernels
