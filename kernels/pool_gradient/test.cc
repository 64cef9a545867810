#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/common/blocked_layout.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/kernels.h"
#include "kernels/common/testing/random.h"
#include "kernels/max_pool/max_pool.h"
#include "kernels/pool_gradient/pool_gradient.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;

constexpr std::size_t sizes[][2] = {{1, 1}, {1, 4}, {2, 2}, {3, 2}, {5, 7}, {8, 6}, {9, 1}, {17, 13}};
constexpr std::size_t planes = 3;

/// A 2×2 pool with data, in buffers that end at guard pages.
struct Case {
    PoolGradient problem;
    GuardedBuffer<float> input;
    GuardedBuffer<float> pooled;
    GuardedBuffer<std::uint8_t> positive;
    GuardedBuffer<std::uint8_t> choices;
    GuardedBuffer<float> gradient;

    Case(std::size_t height, std::size_t width, std::size_t block, testing::Random& random)
        : problem{.planes = planes, .height = height, .width = width, .block = block},
          input(planes * height * width * block),
          pooled(planes * (height / 2) * (width / 2) * block),
          positive(input.size() / 8),
          choices(max_pool_choices_size(pooled.size())),
          gradient(input.size()) {
        // Few different values, so that windows contain equal ones.
        for (float& value : input) value = static_cast<float>(random.integer(-2, 2));
        for (std::size_t i = 0; i < input.size(); ++i) {
            positive[i / 8] =
                static_cast<std::uint8_t>(positive[i / 8] | ((input[i] > 0 ? 1 : 0) << (i % 8)));
        }
        random.fill(pooled, -1, 1);
        std::fill(gradient.begin(), gradient.end(), 99.0F);
        problem.pooled = pooled.data();
        problem.choices = choices.data();
        problem.gradient = gradient.data();
    }

    std::size_t index(std::size_t plane, std::size_t y, std::size_t x, std::size_t channel) const {
        return ((plane * problem.height + y) * problem.width + x) * problem.block + channel;
    }
    bool has_window(std::size_t y, std::size_t x) const {
        return y / 2 < problem.height / 2 && x / 2 < problem.width / 2;
    }
    float pooled_at(std::size_t plane, std::size_t y, std::size_t x, std::size_t channel) const {
        const std::size_t row = plane * (problem.height / 2) + y / 2;
        return pooled[(row * (problem.width / 2) + x / 2) * problem.block + channel];
    }
    /// Whether an input is the first largest of its window.
    bool is_chosen(std::size_t plane, std::size_t y, std::size_t x, std::size_t channel) const {
        const float own = input[index(plane, y, x, channel)];
        for (std::size_t k = 0; k < 4; ++k) {
            const std::size_t row = y / 2 * 2 + k / 2;
            const std::size_t column = x / 2 * 2 + k % 2;
            const float other = input[index(plane, row, column, channel)];
            const bool is_before = row < y || (row == y && column < x);
            if (other > own || (is_before && other == own)) return false;
        }
        return true;
    }

    /// Calls body(plane, y, x, channel) for each input, in memory order.
    template <class Body>
    void for_each_input(const Body& body) const {
        for (std::size_t i = 0; i < input.size(); ++i) {
            const std::size_t pixel = i / problem.block;
            const std::size_t row = pixel / problem.width;
            body(row / problem.height, row % problem.height, pixel % problem.width, i % problem.block);
        }
    }
};

template <class Run>
void in_two_calls(std::size_t rows, const Run& run) {
    run(rows / 3, rows);
    run(std::size_t{0}, rows / 3);
}

/// `expected(plane, y, x, channel)` is what an input of a window gets without ReLU.
template <class Run, class Expected>
void check_gradient(Case& data, const Run& run, const Expected& expected) {
    for (const bool after_relu : {false, true}) {
        CAPTURE(after_relu);
        data.problem.positive = after_relu ? data.positive.data() : nullptr;
        in_two_calls(data.problem.rows(),
                     [&](std::size_t begin, std::size_t end) { run(data.problem, begin, end); });
        std::size_t wrong = 0;
        data.for_each_input([&](std::size_t plane, std::size_t y, std::size_t x, std::size_t channel) {
            const std::size_t index = data.index(plane, y, x, channel);
            const bool passes = data.has_window(y, x) && (!after_relu || data.input[index] > 0);
            const float wanted = passes ? expected(plane, y, x, channel) : 0.0F;
            if (data.gradient[index] != wanted) ++wrong;
        });
        CHECK(wrong == 0);
    }
}

/// A window of the adaptive pool along one axis, stated apart from the kernel's.
struct Window {
    std::size_t begin;
    std::size_t end;
};

Window window_of(std::size_t index, std::size_t size) {
    return {index * size / 7, ((index + 1) * size + 6) / 7};
}

/// Calls body(kernel, block, height, width) for all that are possible.
template <class Body>
void for_each_shape(const Body& body) {
    testing::for_each_usable_kernel(pool_gradient_kernels(), [&](const auto& kernel) {
        for (const std::size_t block : {8U, 16U, 32U}) {
            if (block % float_lanes(kernel.isa) != 0) continue;
            for (const auto& [height, width] : sizes) {
                CAPTURE(block);
                CAPTURE(height);
                CAPTURE(width);
                body(*kernel.run, block, height, width);
            }
        }
    });
}

}  // namespace

TEST_CASE(
    "a max-pool that records its choices pools as the other, and its gradient goes to the first largest") {
    testing::Random random;
    INFO(random.replay());
    for_each_shape([&](const PoolGradientKernels& kernels, std::size_t block, std::size_t height,
                       std::size_t width) {
        Case data(height, width, block, random);
        const std::size_t rows = planes * (height / 2);
        GuardedBuffer<float> output(data.pooled.size());
        GuardedBuffer<float> expected(data.pooled.size());
        Pool2x2 pool{
            .planes = planes, .height = height, .width = width, .block = block, .input = data.input.data()};
        pool.output = expected.data();
        portable::max_pool(pool, 0, rows);
        pool.output = output.data();
        std::fill(data.choices.begin(), data.choices.end(), std::uint8_t{0xa5});
        in_two_calls(rows, [&](std::size_t begin, std::size_t end) {
            kernels.max_pool({.pool = pool, .choices = data.choices.data()}, begin, end);
        });
        CHECK(std::equal(output.begin(), output.end(), expected.begin()));
        check_gradient(data, kernels.of_max_pool,
                       [&](std::size_t plane, std::size_t y, std::size_t x, std::size_t channel) {
                           return data.is_chosen(plane, y, x, channel) ? data.pooled_at(plane, y, x, channel)
                                                                       : 0.0F;
                       });
    });
}

TEST_CASE("a 2×2 average pool's gradient is a quarter for each input of a window") {
    testing::Random random;
    INFO(random.replay());
    for_each_shape(
        [&](const PoolGradientKernels& kernels, std::size_t block, std::size_t height, std::size_t width) {
            Case data(height, width, block, random);
            check_gradient(data, kernels.of_average_pool,
                           [&](std::size_t plane, std::size_t y, std::size_t x, std::size_t channel) {
                               return data.pooled_at(plane, y, x, channel) / 4;
                           });
        });
}

TEST_CASE("an adaptive average pool's gradient is shared by the inputs of each window") {
    testing::Random random;
    INFO(random.replay());
    constexpr std::size_t maps[][2] = {{1, 1}, {5, 5}, {7, 7}, {10, 10}, {14, 3}, {16, 20}};
    testing::for_each_usable_kernel(pool_gradient_kernels(), [&](const auto& kernel) {
        for (const std::size_t block : {8U, 16U}) {
            if (block % float_lanes(kernel.isa) != 0) continue;
            for (const auto& [height, width] : maps) {
                CAPTURE(block);
                CAPTURE(height);
                CAPTURE(width);
                constexpr std::size_t batch = 2;
                constexpr std::size_t channels = 19;
                constexpr std::size_t side = 7;
                GuardedBuffer<float> pooled(batch * channels * side * side);
                GuardedBuffer<float> gradient(blocked_size(batch, channels, height, width, block));
                GuardedBuffer<std::uint8_t> positive(gradient.size() / 8);
                random.fill(pooled, -1, 1);
                for (auto& byte : positive) byte = static_cast<std::uint8_t>(random.integer(0, 255));
                std::fill(gradient.begin(), gradient.end(), 99.0F);
                AdaptivePoolGradient problem{.batch = batch,
                                             .channels = channels,
                                             .height = height,
                                             .width = width,
                                             .pooled_height = side,
                                             .pooled_width = side,
                                             .block = block,
                                             .pooled = pooled.data(),
                                             .gradient = gradient.data()};
                for (const bool after_relu : {false, true}) {
                    problem.positive = after_relu ? positive.data() : nullptr;
                    in_two_calls(batch * blocks_of(channels, block), [&](std::size_t begin, std::size_t end) {
                        kernel.run->of_adaptive_pool(problem, begin, end);
                    });
                    std::vector<double> expected(gradient.size());
                    for (std::size_t i = 0; i < pooled.size(); ++i) {
                        const Window rows = window_of(i / side % side, height);
                        const Window columns = window_of(i % side, width);
                        const double size =
                            static_cast<double>((rows.end - rows.begin) * (columns.end - columns.begin));
                        for (std::size_t y = rows.begin; y < rows.end; ++y) {
                            for (std::size_t x = columns.begin; x < columns.end; ++x) {
                                expected[blocked_index(
                                    channels, height, width, block, i / (channels * side * side),
                                    i / (side * side) % channels, y, x)] += double{pooled[i]} / size;
                            }
                        }
                    }
                    for (std::size_t i = 0; i < expected.size(); ++i) {
                        const int bit = (positive[i / 8] >> (i % 8)) & 1;
                        const double wanted = after_relu && bit == 0 ? 0 : expected[i];
                        REQUIRE(gradient[i] == doctest::Approx(wanted).epsilon(1e-5));
                    }
                }
            }
        }
    });
}

}  // namespace vgg19::kernels
