#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/average_pool/average_pool.h"
#include "kernels/common/blocked_layout.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/random.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;

/// The mean of one window, and the mean of its absolute values, in double.
struct Mean {
    double value = 0;
    double magnitude = 0;
    double count = 0;
};

/// The windows in the header, computed in floating point.
Mean expected(const AveragePool& problem, std::size_t image, std::size_t channel, std::size_t y,
              std::size_t x) {
    const auto begin = [](std::size_t i, std::size_t in, std::size_t out) {
        return static_cast<std::size_t>(std::floor(static_cast<double>(i * in) / static_cast<double>(out)));
    };
    const auto end = [](std::size_t i, std::size_t in, std::size_t out) {
        return static_cast<std::size_t>(
            std::ceil(static_cast<double>((i + 1) * in) / static_cast<double>(out)));
    };
    Mean mean;
    for (std::size_t row = begin(y, problem.height, problem.output_height);
         row < end(y, problem.height, problem.output_height); ++row) {
        for (std::size_t column = begin(x, problem.width, problem.output_width);
             column < end(x, problem.width, problem.output_width); ++column) {
            const double value = problem.input[blocked_index(problem.channels, problem.height, problem.width,
                                                             problem.block, image, channel, row, column)];
            mean.value += value;
            mean.magnitude += std::abs(value);
            mean.count += 1;
        }
    }
    mean.value /= mean.count;
    mean.magnitude /= mean.count;
    return mean;
}

void check_equals_definition(const AveragePool& problem) {
    const float* value = problem.output;
    for (std::size_t image = 0; image < problem.batch; ++image) {
        for (std::size_t channel = 0; channel < problem.channels; ++channel) {
            for (std::size_t y = 0; y < problem.output_height; ++y) {
                for (std::size_t x = 0; x < problem.output_width; ++x) {
                    const Mean mean = expected(problem, image, channel, y, x);
                    // One rounding per addition and one for the division, each of half an epsilon.
                    const double bound =
                        mean.count * std::numeric_limits<float>::epsilon() * mean.magnitude / 2;
                    REQUIRE(std::abs(double{*value++} - mean.value) <= bound);
                }
            }
        }
    }
}

/// Compares every kernel with the definition, and checks that all give the same bits.
void check(AveragePool problem, testing::Random& random) {
    CAPTURE(problem.block);
    CAPTURE(problem.channels);
    CAPTURE(problem.height);
    CAPTURE(problem.width);
    GuardedBuffer<float> input(
        blocked_size(problem.batch, problem.channels, problem.height, problem.width, problem.block));
    random.fill(input, -1, 1);
    problem.input = input.data();
    const std::size_t blocks = problem.batch * blocks_of(problem.channels, problem.block);
    std::vector<float> first;
    for (const auto& kernel : average_pool_kernels()) {
        if (!cpu_supports(kernel.isa) || (problem.block % float_lanes(kernel.isa) != 0)) continue;
        CAPTURE(std::string(kernel.name));
        GuardedBuffer<float> output(problem.batch * problem.channels * problem.output_height *
                                    problem.output_width);
        problem.output = output.data();
        kernel.run(problem, blocks / 2, blocks);
        kernel.run(problem, 0, blocks / 2);
        check_equals_definition(problem);
        if (first.empty()) first.assign(output.begin(), output.end());
        for (std::size_t i = 0; i < first.size(); ++i) REQUIRE(output[i] == first[i]);
    }
}

}  // namespace

TEST_CASE("average pool equals the definition for maps that are smaller, equal and larger than its output") {
    testing::Random random;
    INFO(random.replay());
    constexpr std::size_t sizes[][4] = {{7, 7, 7, 7}, {5, 5, 7, 7},  {9, 4, 7, 7}, {1, 1, 7, 7},
                                        {1, 5, 7, 7}, {2, 2, 7, 7},  {7, 7, 1, 1}, {14, 8, 7, 7},
                                        {6, 6, 3, 2}, {32, 31, 7, 7}};
    for (const std::size_t block : {8U, 16U, 32U}) {
        for (const std::size_t channels : {1U, 7U, 8U, 16U, 17U, 41U}) {
            for (const auto& [height, width, output_height, output_width] : sizes) {
                check({.batch = 2,
                       .channels = channels,
                       .height = height,
                       .width = width,
                       .output_height = output_height,
                       .output_width = output_width,
                       .block = block},
                      random);
            }
        }
    }
}

TEST_CASE("average pool of equal sizes only changes the layout") {
    testing::Random random;
    INFO(random.replay());
    for (const auto& kernel : average_pool_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        CAPTURE(std::string(kernel.name));
        GuardedBuffer<float> input(blocked_size(1, 20, 3, 5, 16));
        GuardedBuffer<float> output(std::size_t{20} * 3 * 5);
        random.fill(input, -1, 1);
        kernel.run({.channels = 20,
                    .height = 3,
                    .width = 5,
                    .output_height = 3,
                    .output_width = 5,
                    .block = 16,
                    .input = input.data(),
                    .output = output.data()},
                   0, 2);
        for (std::size_t i = 0; i < output.size(); ++i) {
            REQUIRE(output[i] == input[blocked_index(20, 3, 5, 16, 0, i / 15, i % 15 / 5, i % 5)]);
        }
    }
}

}  // namespace vgg19::kernels
