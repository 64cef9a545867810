#include <doctest/doctest.h>

#include "kernels/average_pool_2x2/average_pool_2x2.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/kernels.h"
#include "kernels/common/testing/random.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;

void check(const Kernel<Pool2x2Function>& kernel, Pool2x2 problem, testing::Random& random) {
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
    const float* value = output.data();
    for (std::size_t row = 0; row < rows; ++row) {
        const std::size_t plane = row / (problem.height / 2);
        const std::size_t y = row % (problem.height / 2) * 2;
        for (std::size_t x = 0; x + 1 < problem.width; x += 2) {
            for (std::size_t channel = 0; channel < problem.block; ++channel) {
                const auto at = [&](std::size_t dy, std::size_t dx) {
                    const std::size_t pixel = (plane * problem.height + y + dy) * problem.width + x + dx;
                    return input[pixel * problem.block + channel];
                };
                REQUIRE(*value++ == (((at(0, 0) + at(0, 1)) + at(1, 0)) + at(1, 1)) / 4);
            }
        }
    }
}

}  // namespace

TEST_CASE("2×2 average pool equals the definition on even, odd and tiny maps") {
    testing::Random random;
    INFO(random.replay());
    constexpr std::size_t sizes[][2] = {{1, 1}, {1, 5}, {5, 1}, {2, 2}, {3, 3}, {7, 7}, {9, 4}, {25, 3}};
    testing::for_each_usable_kernel(average_pool_2x2_kernels(), [&](const auto& kernel) {
        for (const std::size_t block : {8U, 16U, 32U}) {
            if (block < float_lanes(kernel.isa)) continue;
            for (const auto& [height, width] : sizes) {
                check(kernel, {.planes = 3, .height = height, .width = width, .block = block}, random);
            }
        }
    });
}

}  // namespace vgg19::kernels
