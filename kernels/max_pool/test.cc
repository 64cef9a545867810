#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/random.h"
#include "kernels/max_pool/max_pool.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;

float expected(const Pool2x2& problem, std::size_t plane, std::size_t y, std::size_t x, std::size_t channel) {
    const auto at = [&](std::size_t row, std::size_t column) {
        const std::size_t pixel = (plane * problem.height + row) * problem.width + column;
        return problem.input[pixel * problem.block + channel];
    };
    return std::max({at(2 * y, 2 * x), at(2 * y, 2 * x + 1), at(2 * y + 1, 2 * x), at(2 * y + 1, 2 * x + 1)});
}

void check_equals_definition(const Pool2x2& problem) {
    const float* value = problem.output;
    for (std::size_t plane = 0; plane < problem.planes; ++plane) {
        for (std::size_t y = 0; y < problem.height / 2; ++y) {
            for (std::size_t x = 0; x < problem.width / 2; ++x) {
                for (std::size_t channel = 0; channel < problem.block; ++channel) {
                    REQUIRE(*value++ == expected(problem, plane, y, x, channel));
                }
            }
        }
    }
}

void check(const Kernel<Pool2x2Function>& kernel, Pool2x2 problem, testing::Random& random) {
    CAPTURE(std::string(kernel.name));
    CAPTURE(problem.block);
    CAPTURE(problem.height);
    CAPTURE(problem.width);
    const std::size_t rows = problem.planes * (problem.height / 2);
    GuardedBuffer<float> input(problem.planes * problem.height * problem.width * problem.block);
    GuardedBuffer<float> output(rows * (problem.width / 2) * problem.block);
    random.fill(input, -1, 1);
    problem.input = input.data();
    problem.output = output.data();
    // In two calls, the later rows first, as threads might do.
    kernel.run(problem, rows / 3, rows);
    kernel.run(problem, 0, rows / 3);
    check_equals_definition(problem);
}

}  // namespace

TEST_CASE("max-pool equals the definition on even, odd and tiny maps") {
    testing::Random random;
    INFO(random.replay());
    constexpr std::size_t sizes[][2] = {{1, 1}, {1, 5},   {5, 1}, {2, 2},  {3, 3},
                                        {7, 7}, {14, 14}, {9, 4}, {225, 3}};
    for (const auto& kernel : max_pool_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        for (const std::size_t block : {8U, 16U, 32U}) {
            if (block < float_lanes(kernel.isa)) continue;
            for (const auto& [height, width] : sizes) {
                check(kernel, {.planes = 3, .height = height, .width = width, .block = block}, random);
            }
        }
    }
}

TEST_CASE("max-pool writes only the rows that it is asked for") {
    for (const auto& kernel : max_pool_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        CAPTURE(std::string(kernel.name));
        GuardedBuffer<float> input(4 * 2 * 16);
        GuardedBuffer<float> output(2 * 16);
        std::fill(output.begin(), output.end(), -1.0F);
        kernel.run({.planes = 1,
                    .height = 4,
                    .width = 2,
                    .block = 16,
                    .input = input.data(),
                    .output = output.data()},
                   0, 1);
        CHECK(std::count(output.begin(), output.begin() + 16, 0.0F) == 16);
        CHECK(std::count(output.begin() + 16, output.end(), -1.0F) == 16);
    }
}

}  // namespace vgg19::kernels
