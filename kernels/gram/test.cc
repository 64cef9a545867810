#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/kernels.h"
#include "kernels/common/testing/random.h"
#include "kernels/gram/gram.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;

constexpr std::size_t shapes[][2] = {{1, 1},   {2, 7},   {3, 48},  {5, 49},   {15, 17},
                                     {16, 95}, {31, 64}, {33, 33}, {64, 130}, {70, 2100}};

}  // namespace

TEST_CASE("Gram sums equal the definition above the diagonal, and leave the rest") {
    testing::Random random;
    INFO(random.replay());
    for (const auto& [rows, columns] : shapes) {
        CAPTURE(rows);
        CAPTURE(columns);
        GuardedBuffer<float> values(rows * columns);
        random.fill(values, -1, 1);
        testing::for_each_usable_kernel(gram_kernels(), [&](const auto& kernel) {
            GuardedBuffer<double> sums(rows * rows);
            std::fill(sums.begin(), sums.end(), 0.25);
            const GramSums problem{
                .rows = rows, .columns = columns, .values = values.data(), .sums = sums.data()};
            for (std::size_t chunk = 0; chunk < problem.chunks(); ++chunk) {
                for (std::size_t task = problem.tasks(); task-- > 0;) kernel.run->sums(problem, chunk, task);
            }
            for (std::size_t i = 0; i < rows; ++i) {
                for (std::size_t j = 0; j < rows; ++j) {
                    double expected = 0.25;
                    double magnitude = 0;
                    for (std::size_t p = 0; p < columns && i <= j; ++p) {
                        const double product =
                            double{values[i * columns + p]} * double{values[j * columns + p]};
                        expected += product;
                        magnitude += std::abs(product);
                    }
                    REQUIRE(std::abs(sums[i * rows + j] - expected) <= 1e-6 * magnitude);
                }
            }
        });
    }
}

TEST_CASE("products with the rows of a Gram matrix equal the definition, in strips of any width") {
    testing::Random random;
    INFO(random.replay());
    for (const auto& [rows, columns] : shapes) {
        CAPTURE(rows);
        CAPTURE(columns);
        GuardedBuffer<float> values(rows * columns);
        GuardedBuffer<float> factors(rows * rows);
        random.fill(values, -1, 1);
        random.fill(factors, -1, 1);
        testing::for_each_usable_kernel(gram_kernels(), [&](const auto& kernel) {
            for (const bool adds : {false, true}) {
                GuardedBuffer<float> result(rows * columns);
                std::fill(result.begin(), result.end(), 3.0F);
                const GramProduct problem{.rows = rows,
                                          .columns = columns,
                                          .factors = factors.data(),
                                          .values = values.data(),
                                          .result = result.data(),
                                          .adds = adds};
                GuardedBuffer<float> scratch(problem.scratch_size());
                for (std::size_t strip = problem.strips(); strip-- > 0;) {
                    kernel.run->product(problem, strip, scratch.data());
                }
                for (std::size_t i = 0; i < rows * columns; ++i) {
                    double expected = adds ? 3 : 0;
                    double magnitude = std::abs(expected);
                    for (std::size_t k = 0; k < rows; ++k) {
                        const double product = double{factors[i / columns * rows + k]} *
                                               double{values[k * columns + i % columns]};
                        expected += product;
                        magnitude += std::abs(product);
                    }
                    REQUIRE(std::abs(double{result[i]} - expected) <= 1e-5 * magnitude);
                }
            }
        });
    }
}

}  // namespace vgg19::kernels
