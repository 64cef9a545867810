#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/kernels.h"
#include "kernels/common/testing/random.h"
#include "kernels/losses/losses.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;

double value_of(double d, bool squared) {
    return squared ? d * d : std::abs(d);
}
double slope_of(double d, bool squared) {
    if (squared) return 2 * d;
    return d > 0 ? 1 : d < 0 ? -1 : 0;
}

/// Sums of up to loss_run / 8 values in each lane, and of these, in FP32.
constexpr double sum_tolerance = 1e-6;

}  // namespace

TEST_CASE("differences: their absolute and squared sums, and gradients, in any ranges") {
    testing::Random random;
    INFO(random.replay());
    for (const std::size_t size : {1U, 7U, 8U, 16U, 17U, 1023U, 1024U, 1041U, 5000U}) {
        CAPTURE(size);
        GuardedBuffer<float> a(size);
        GuardedBuffer<float> b(size);
        random.fill(a, -1, 1);
        random.fill(b, -1, 1);
        for (std::size_t i = 0; i < size; i += 3) b[i] = a[i];  // the slope at 0
        testing::for_each_usable_kernel(losses_kernels(), [&](const auto& kernel) {
            for (const bool squared : {false, true}) {
                for (const bool adds : {false, true}) {
                    CAPTURE(squared);
                    CAPTURE(adds);
                    GuardedBuffer<float> gradient(size);
                    std::fill(gradient.begin(), gradient.end(), 3.0F);
                    Difference problem{.a = a.data(), .b = b.data(), .factor = 0.5F, .adds = adds};
                    const auto run = squared ? kernel.run->squared : kernel.run->absolute;
                    const double without = run(problem, 0, size / 3) + run(problem, size / 3, size);
                    problem.gradient = gradient.data();
                    const double sum = run(problem, 0, size / 3) + run(problem, size / 3, size);
                    CHECK(sum == without);
                    double expected = 0;
                    for (std::size_t i = 0; i < size; ++i) {
                        const double d = double{a[i]} - double{b[i]};
                        expected += value_of(d, squared);
                        REQUIRE(double{gradient[i]} ==
                                doctest::Approx((adds ? 3 : 0) + 0.5 * slope_of(d, squared)).epsilon(1e-6));
                    }
                    CHECK(sum == doctest::Approx(expected).epsilon(sum_tolerance));
                }
            }
            // In place.
            GuardedBuffer<float> features(size);
            std::copy(a.begin(), a.end(), features.begin());
            kernel.run->absolute({.a = features.data(), .b = b.data(), .gradient = features.data()}, 0, size);
            for (std::size_t i = 0; i < size; ++i) {
                REQUIRE(double{features[i]} == slope_of(double{a[i]} - double{b[i]}, false));
            }
        });
    }
}

TEST_CASE("total variation and its gradient, for planes of any size") {
    testing::Random random;
    INFO(random.replay());
    constexpr std::size_t sizes[][2] = {{1, 1}, {1, 9}, {9, 1}, {2, 2}, {3, 17}, {5, 18}, {7, 33}, {4, 2100}};
    for (const auto& [height, width] : sizes) {
        CAPTURE(height);
        CAPTURE(width);
        constexpr std::size_t planes = 2;
        GuardedBuffer<float> values(planes * height * width);
        for (float& value : values)
            value = static_cast<float>(random.integer(-3, 3)) / 4;  // equal neighbours too
        testing::for_each_usable_kernel(losses_kernels(), [&](const auto& kernel) {
            for (const bool squared : {false, true}) {
                double expected = 0;
                std::vector<double> slopes(values.size(), 3.0);
                const auto add = [&](std::size_t from, std::size_t to) {
                    const double d = double{values[to]} - double{values[from]};
                    expected += value_of(d, squared);
                    slopes[to] += slope_of(d, squared) / 2;
                    slopes[from] -= slope_of(d, squared) / 2;
                };
                for (std::size_t i = 0; i < values.size(); ++i) {
                    if (i / width % height + 1 < height) add(i, i + width);
                    if (i % width + 1 < width) add(i, i + 1);
                }
                GuardedBuffer<float> gradient(values.size());
                std::fill(gradient.begin(), gradient.end(), 3.0F);
                TotalVariation problem{.planes = planes,
                                       .height = height,
                                       .width = width,
                                       .squared = squared,
                                       .values = values.data(),
                                       .factor = 0.5F,
                                       .adds = true};
                const std::size_t rows = planes * height;
                CHECK(kernel.run->total_variation(problem, 0, rows) ==
                      doctest::Approx(expected).epsilon(sum_tolerance));
                problem.gradient = gradient.data();
                const double later = kernel.run->total_variation(problem, rows / 3, rows);
                CHECK(kernel.run->total_variation(problem, 0, rows / 3) + later ==
                      doctest::Approx(expected).epsilon(sum_tolerance));
                for (std::size_t i = 0; i < values.size(); ++i) {
                    REQUIRE(double{gradient[i]} == doctest::Approx(slopes[i]).epsilon(1e-6));
                }
            }
        });
    }
}

}  // namespace vgg19::kernels
