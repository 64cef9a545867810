#include "converter/refit/least_squares.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "converter/refit/cholesky.h"
#include "kernels/common/testing/isas.h"
#include "kernels/common/testing/random.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

using kernels::Isa;

constexpr std::size_t unknowns = 21;  // the last one is the constant
constexpr std::size_t outputs = 3;

/// Random rows with a last value of 1.
std::vector<float> random_rows(kernels::testing::Random& random, std::size_t samples) {
    std::vector<float> rows(samples * unknowns);
    random.fill(rows, -1.0F, 1.0F);
    for (std::size_t sample = 1; sample <= samples; ++sample) rows[sample * unknowns - 1] = 1;
    return rows;
}

std::vector<float> products(const std::vector<float>& rows, const std::vector<float>& solution) {
    std::vector<float> targets;
    for (std::size_t sample = 0; sample < rows.size() / unknowns; ++sample) {
        for (std::size_t output = 0; output < outputs; ++output) {
            double sum = 0;
            for (std::size_t i = 0; i < unknowns; ++i) {
                sum += double{rows[sample * unknowns + i]} * double{solution[output * unknowns + i]};
            }
            targets.push_back(static_cast<float>(sum));
        }
    }
    return targets;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
    REQUIRE(a.size() == b.size());
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        largest = std::max(largest, std::abs(double{a[i]} - double{b[i]}));
    }
    return largest;
}

}  // namespace

TEST_CASE("one unknown and a constant have the closed form of a regression line") {
    // y = 1, 3, 2 at x = 0, 1, 2: slope Σ(x − 1)(y − 2) / Σ(x − 1)² = 1/2, and 3/2 at 0.
    LeastSquares line(2, 1, Isa::portable, 1);
    line.add(std::vector<float>{0, 1, 1, 1, 2, 1}, std::vector<float>{1, 3, 2});
    const auto plain = line.solve(1e-9);
    CHECK(plain[0] == doctest::Approx(0.5).epsilon(1e-5));
    CHECK(plain[1] == doctest::Approx(1.5).epsilon(1e-5));
    // The mean of the diagonal is Σx² = 5, so that a ridge of 0.4 adds 2 to the slope's equation:
    // (5 + 2) a + 3 b = 7 and 3 a + 3 b = 6.
    const auto ridged = line.solve(0.4);
    CHECK(ridged[0] == doctest::Approx(0.25).epsilon(1e-5));
    CHECK(ridged[1] == doctest::Approx(1.75).epsilon(1e-5));
}

TEST_CASE("exactly linear data are solved exactly, on every ISA and for any split of samples") {
    kernels::testing::Random random;
    INFO(random.replay());
    std::vector<float> wanted(outputs * unknowns);
    random.fill(wanted, -2.0F, 2.0F);
    const auto rows = random_rows(random, 700);
    const auto targets = products(rows, wanted);
    for (const Isa isa : kernels::testing::isas_of_this_cpu()) {
        LeastSquares equations(unknowns, outputs, isa, 2);
        const std::size_t first = 300;
        equations.add(std::span(rows).first(first * unknowns), std::span(targets).first(first * outputs));
        equations.add(std::span(rows).subspan(first * unknowns), std::span(targets).subspan(first * outputs));
        CHECK(equations.samples() == 700);
        CHECK(largest_difference(equations.solve(1e-7), wanted) < 1e-4);
    }
}

TEST_CASE("with fewer samples than unknowns the ridge keeps the solution near zero") {
    kernels::testing::Random random;
    INFO(random.replay());
    std::vector<float> wanted(outputs * unknowns);
    random.fill(wanted, -2.0F, 2.0F);
    const auto rows = random_rows(random, 5);
    const auto targets = products(rows, wanted);
    LeastSquares equations(unknowns, outputs, kernels::best_isa(), 1);
    equations.add(rows, targets);
    const auto found = equations.solve(1e-4);
    CHECK(largest_difference(products(rows, found), targets) < 0.05);
    double found_norm = 0;
    double wanted_norm = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (i % unknowns + 1 == unknowns) continue;
        found_norm += double{found[i]} * double{found[i]};
        wanted_norm += double{wanted[i]} * double{wanted[i]};
    }
    CHECK(found_norm < wanted_norm);

    LeastSquares none(unknowns, outputs, kernels::best_isa(), 1);
    for (const float value : none.solve(0.1)) CHECK(value == 0);
}

TEST_CASE("least squares give the same bits for every number of threads") {
    kernels::testing::Random random;
    INFO(random.replay());
    const auto rows = random_rows(random, 300);
    std::vector<float> targets(300 * outputs);
    random.fill(targets, -1.0F, 1.0F);
    const auto solve = [&](int threads) {
        LeastSquares equations(unknowns, outputs, kernels::best_isa(), threads);
        equations.add(rows, targets);
        return equations.solve(0.01);
    };
    CHECK(solve(1) == solve(3));
}

TEST_CASE("sums that are not finite are refused") {
    LeastSquares equations(2, 1, Isa::portable, 1);
    equations.add(std::vector<float>{std::numeric_limits<float>::infinity(), 1}, std::vector<float>{1});
    CHECK_THROWS_AS(equations.solve(0.1), Error);
}

TEST_CASE("a system of several blocks is solved, and one that is not positive definite is noticed") {
    kernels::testing::Random random;
    INFO(random.replay());
    constexpr std::size_t side = 304;
    constexpr std::size_t columns = 32;
    const auto kernel = kernels::select(kernels::column_products_kernels(), kernels::best_isa());
    const Cholesky cholesky(kernel, 2);

    std::vector<double> matrix(side * side);
    for (std::size_t i = 0; i < side; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            matrix[i * side + j] = matrix[j * side + i] =
                i == j ? double{side} : double{random.uniform(-1, 1)};
        }
    }
    std::vector<double> wanted(side * columns);
    for (double& value : wanted) value = double{random.uniform(-1, 1)};
    std::vector<double> right(side * columns);
    for (std::size_t i = 0; i < side; ++i) {
        for (std::size_t j = 0; j < side; ++j) {
            for (std::size_t c = 0; c < columns; ++c) {
                right[i * columns + c] += matrix[i * side + j] * wanted[j * columns + c];
            }
        }
    }
    REQUIRE(cholesky.factor({matrix.data(), side}));
    cholesky.solve({matrix.data(), side}, right, columns);
    double largest = 0;
    for (std::size_t i = 0; i < right.size(); ++i) {
        largest = std::max(largest, std::abs(right[i] - wanted[i]));
    }
    CHECK(largest < 1e-5);

    std::vector<double> indefinite(side * side);
    for (std::size_t i = 0; i < side; ++i) indefinite[i * side + i] = i == 200 ? -1 : 1;
    CHECK_FALSE(cholesky.factor({indefinite.data(), side}));
}

}  // namespace vgg19::converter
