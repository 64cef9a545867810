#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <vector>

#include "kernels/common/testing/golden.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/kernels.h"
#include "kernels/common/testing/random.h"
#include "kernels/quantize_blocked/quantize_blocked.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;
using testing::Random;
using Sizes = std::initializer_list<std::size_t>;

/// A problem between guard pages, with random values in real channels and zeros in padding channels.
struct Activation {
    QuantizeBlocked problem;
    GuardedBuffer<float> input;
    GuardedBuffer<std::uint8_t> output;

    explicit Activation(const QuantizeBlocked& shape)
        : problem(shape), input(size(shape.block)), output(size(int8_channel_block)) {
        problem.input = input.data();
        problem.output = output.data();
    }

    std::size_t size(std::size_t block) const {
        return blocked_size(problem.batch, problem.channels, problem.height, problem.width, block);
    }
    std::size_t index(std::size_t block, std::size_t image, std::size_t channel, std::size_t row,
                      std::size_t column) const {
        return blocked_index(problem.channels, problem.height, problem.width, block, image, channel, row,
                             column);
    }

    /// Calls body(image, channel, row, column) for every value of the output, including padding.
    template <class Body>
    void for_each(const Body& body) const {
        for (std::size_t image = 0; image < problem.batch; ++image) {
            for (std::size_t channel = 0; channel < problem.output_blocks() * int8_channel_block; ++channel) {
                for (std::size_t row = 0; row < problem.height; ++row) {
                    for (std::size_t column = 0; column < problem.width; ++column) {
                        body(image, channel, row, column);
                    }
                }
            }
        }
    }

    void fill(Random& random, float low, float high) {
        for_each([&](std::size_t image, std::size_t channel, std::size_t row, std::size_t column) {
            if (channel >= problem.channels) return;
            input[index(problem.block, image, channel, row, column)] = random.uniform(low, high);
        });
    }

    std::size_t wrong() const {
        std::size_t count = 0;
        for_each([&](std::size_t image, std::size_t channel, std::size_t row, std::size_t column) {
            float expected = 0;
            if (channel < problem.channels) {
                const float value = input[index(problem.block, image, channel, row, column)];
                expected = std::clamp(std::nearbyint(value * problem.inverse_scale), 0.0F, 255.0F);
            }
            const int found = output[index(int8_channel_block, image, channel, row, column)];
            if (found != static_cast<int>(expected)) ++count;
        });
        return count;
    }
};

}  // namespace

TEST_CASE("blocked activations are quantised as the definition says, for any count of channels") {
    testing::Golden golden("quantize_blocked");
    Random random;
    INFO(random.replay());
    for (const std::size_t block : Sizes{8, 16}) {
        for (const std::size_t channels : Sizes{1, 7, 8, 9, 15, 16, 17, 24, 25, 31, 32, 33, 40, 41, 64, 65}) {
            Activation activation({.batch = 2,
                                   .channels = channels,
                                   .height = 3,
                                   .width = 5,
                                   .block = block,
                                   .inverse_scale = 31});
            activation.fill(random, -2, 10);
            CAPTURE(block);
            CAPTURE(channels);
            testing::for_each_usable_kernel(quantize_blocked_kernels(), [&](const auto& kernel) {
                std::fill(activation.output.begin(), activation.output.end(), std::uint8_t{0xa5});
                kernel.run(activation.problem, 0, activation.problem.rows());
                golden.add(kernel.name, activation.output);
                CHECK(activation.wrong() == 0);
            });
        }
    }
    golden.check();
}

TEST_CASE("blocked activations are quantised row by row, and no other row is written") {
    Random random;
    INFO(random.replay());
    Activation activation(
        {.batch = 2, .channels = 40, .height = 3, .width = 4, .block = 8, .inverse_scale = 100});
    activation.fill(random, 0.1F, 3);
    const std::size_t row_size = activation.problem.width * int8_channel_block;
    testing::for_each_usable_kernel(quantize_blocked_kernels(), [&](const auto& kernel) {
        kernel.run(activation.problem, 0, activation.problem.rows());
        const std::vector<std::uint8_t> whole(activation.output.begin(), activation.output.end());
        for (std::size_t row = 0; row < activation.problem.rows(); ++row) {
            std::fill(activation.output.begin(), activation.output.end(), std::uint8_t{0xa5});
            kernel.run(activation.problem, row, row + 1);
            std::vector<std::uint8_t> expected(whole.size(), 0xa5);
            const auto begin = static_cast<std::ptrdiff_t>(row * row_size);
            std::copy_n(whole.begin() + begin, row_size, expected.begin() + begin);
            CHECK(std::equal(expected.begin(), expected.end(), activation.output.begin()));
        }
    });
}

TEST_CASE("blocked activations round ties to even, and extremes stay in range") {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const float values[] = {0.5F, 1.5F,   2.5F,      253.5F,   254.5F, 255.5F, 256,   -0.5F,
                            -1,   -3e38F, -infinity, infinity, 3e9F,   3e38F,  -0.0F, std::nanf("")};
    const std::uint8_t expected[] = {0, 2, 2, 254, 254, 255, 255, 0, 0, 0, 0, 255, 255, 255, 0, 0};
    Activation activation({.channels = std::size(values), .height = 1, .width = 1, .block = 16});
    std::copy(std::begin(values), std::end(values), activation.input.begin());
    testing::for_each_usable_kernel(quantize_blocked_kernels(), [&](const auto& kernel) {
        kernel.run(activation.problem, 0, 1);
        CHECK(std::equal(std::begin(expected), std::end(expected), activation.output.begin()));
    });
}

}  // namespace vgg19::kernels
