#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/common/testing/golden.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/kernels.h"
#include "kernels/common/testing/random.h"
#include "kernels/training/column_products/column_products.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;
using testing::Random;

/// Two matrices in buffers that end at guard pages.
struct Matrices {
    Matrices(std::size_t samples, std::size_t left_panels, std::size_t right_panels)
        : left(left_panels * samples * panel_columns),
          right(right_panels * samples * panel_columns),
          problem{.samples = samples,
                  .left_panels = left_panels,
                  .right_panels = right_panels,
                  .left = left.data(),
                  .right = right.data(),
                  .stride = right_panels * panel_columns} {}

    std::size_t rows() const { return problem.left_panels * panel_columns; }
    std::size_t columns() const { return problem.right_panels * panel_columns; }

    GuardedBuffer<float> left;
    GuardedBuffer<float> right;
    ColumnProducts problem;
};

float element(const float* panels, std::size_t samples, std::size_t sample, std::size_t column) {
    return panels[(column / panel_columns * samples + sample) * panel_columns + column % panel_columns];
}

/// The sums after a kernel has run on left's panels [begin, end), starting from `start`.
std::vector<double> found_sums(const Kernel<ColumnProductsFunction>& kernel, ColumnProducts problem,
                               double start, std::size_t begin, std::size_t end) {
    GuardedBuffer<double> sums(problem.left_panels * panel_columns * problem.stride);
    std::fill(sums.begin(), sums.end(), start);
    problem.sums = sums.data();
    kernel.run(problem, begin, end);
    return {sums.begin(), sums.end()};
}

/// How many sums differ from those in double by more than `terms` · ε · Σ |x · y|.
std::size_t wrong_sums(const Matrices& matrices, const std::vector<double>& found, double start,
                       std::size_t terms) {
    const ColumnProducts& problem = matrices.problem;
    const double epsilon = static_cast<double>(terms) * double{std::numeric_limits<float>::epsilon()};
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < matrices.rows(); ++i) {
        for (std::size_t j = 0; j < matrices.columns(); ++j) {
            double expected = 0;
            double magnitude = 0;
            for (std::size_t s = 0; s < problem.samples; ++s) {
                const double product = double{element(problem.left, problem.samples, s, i)} *
                                       double{element(problem.right, problem.samples, s, j)};
                expected += product;
                magnitude += std::abs(product);
            }
            const bool wanted = !problem.lower || j / panel_columns <= i / panel_columns;
            const double value = found[i * problem.stride + j];
            const bool right =
                wanted ? std::abs(value - start - expected) <= epsilon * magnitude + 1e-12 : value == start;
            if (!right) ++wrong;
        }
    }
    return wrong;
}

template <class Body>
void for_each_size(Random& random, const Body& body) {
    for (const std::size_t samples : {1U, 2U, 33U}) {
        for (const std::size_t left : {1U, 2U, 5U}) {
            for (const std::size_t right : {1U, 2U, 3U, 4U, 7U}) {
                Matrices matrices(samples, left, right);
                random.fill(matrices.left, -1.0F, 1.0F);
                random.fill(matrices.right, -1.0F, 1.0F);
                CAPTURE(samples);
                CAPTURE(left);
                CAPTURE(right);
                body(matrices);
            }
        }
    }
}

}  // namespace

TEST_CASE("column products are added as near to sums in double as rounding allows") {
    testing::Golden golden("column_products");
    Random random;
    INFO(random.replay());
    for_each_size(random, [&](Matrices& matrices) {
        testing::for_each_usable_kernel(column_products_kernels(), [&](const auto& kernel) {
            for (const bool lower : {false, true}) {
                matrices.problem.lower = lower;
                const auto found = found_sums(kernel, matrices.problem, 3, 0, matrices.problem.left_panels);
                golden.add(kernel.name, found);
                // K products and K additions each have an error of at most ε/2 of a sum of magnitudes; twice
                // that covers higher orders.
                CHECK(wrong_sums(matrices, found, 3, 2 * matrices.problem.samples) == 0);
            }
        });
    });
    golden.check();
}

TEST_CASE("column products of small integers are exact, a matrix by itself gives a symmetric result") {
    Random random;
    INFO(random.replay());
    Matrices matrices(300, 4, 4);
    for (float& value : matrices.left) value = static_cast<float>(random.integer(-8, 8));
    std::copy(matrices.left.begin(), matrices.left.end(), matrices.right.begin());
    testing::for_each_usable_kernel(column_products_kernels(), [&](const auto& kernel) {
        const auto found = found_sums(kernel, matrices.problem, 0, 0, 4);
        CHECK(wrong_sums(matrices, found, 0, 0) == 0);
    });
}

TEST_CASE("column products have the same bits for any split of the panels") {
    Random random;
    INFO(random.replay());
    for_each_size(random, [&](Matrices& matrices) {
        const std::size_t panels = matrices.problem.left_panels;
        testing::for_each_usable_kernel(column_products_kernels(), [&](const auto& kernel) {
            const auto whole = found_sums(kernel, matrices.problem, 0, 0, panels);
            for (std::size_t panel = 0; panel < panels; ++panel) {
                const auto part = found_sums(kernel, matrices.problem, 0, panel, panel + 1);
                const std::size_t panel_sums = panel_columns * matrices.problem.stride;
                std::vector<double> expected(whole.size());
                std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(panel * panel_sums), panel_sums,
                            expected.begin() + static_cast<std::ptrdiff_t>(panel * panel_sums));
                CHECK(part == expected);
            }
        });
    });
}

}  // namespace vgg19::kernels
