#include "converter/factorize/low_rank.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/common/testing/random.h"

using namespace vgg19;
using namespace vgg19::converter;

namespace {

struct Shape {
    std::size_t outputs;
    std::size_t inputs;
};

/// A matrix Σ_k σ_k · u_k · v_kᵀ with the orthonormal vectors of the discrete cosine transform (DCT-II), so
/// that its singular values are known without a solver.
struct KnownMatrix {
    KnownMatrix(Shape shape, std::vector<double> sigma)
        : outputs(shape.outputs), inputs(shape.inputs), singular_values(std::move(sigma)) {
        values.resize(outputs * inputs);
        for (std::size_t o = 0; o < outputs; ++o) {
            for (std::size_t i = 0; i < inputs; ++i) {
                double sum = 0;
                for (std::size_t k = 0; k < singular_values.size(); ++k) {
                    sum += singular_values[k] * cosine(k, o, outputs) * cosine(k, i, inputs);
                }
                values[o * inputs + i] = static_cast<float>(sum);
            }
        }
    }

    static double cosine(std::size_t k, std::size_t n, std::size_t size) {
        const auto length = static_cast<double>(size);
        const double scale = std::sqrt((k == 0 ? 1 : 2) / length);
        return scale *
               std::cos(std::numbers::pi / length * (static_cast<double>(n) + 0.5) * static_cast<double>(k));
    }

    /// √(Σ_{k ≥ rank} σ_k²) / √(Σ σ²), by Eckart and Young.
    double relative_error(std::size_t rank) const {
        double left = 0;
        double all = 0;
        for (std::size_t k = 0; k < singular_values.size(); ++k) {
            const double square = singular_values[k] * singular_values[k];
            all += square;
            if (k >= rank) left += square;
        }
        return std::sqrt(left / all);
    }

    std::vector<float> input_major_values() const {
        std::vector<float> result(values.size());
        for (std::size_t o = 0; o < outputs; ++o) {
            for (std::size_t i = 0; i < inputs; ++i) result[i * outputs + o] = values[o * inputs + i];
        }
        return result;
    }

    std::size_t outputs;
    std::size_t inputs;
    std::vector<double> singular_values;
    std::vector<float> values;
};

std::vector<double> geometric(std::size_t count, double ratio) {
    std::vector<double> values(count);
    for (std::size_t k = 0; k < count; ++k) values[k] = 3 * std::pow(ratio, static_cast<double>(k));
    return values;
}

/// The actual ‖W − B·A‖ / ‖W‖ of output-major factors.
double measured_error(const KnownMatrix& matrix, const LowRank& factors) {
    double error = 0;
    double all = 0;
    for (std::size_t o = 0; o < matrix.outputs; ++o) {
        for (std::size_t i = 0; i < matrix.inputs; ++i) {
            double sum = 0;
            for (std::size_t k = 0; k < factors.rank; ++k) {
                sum += double{factors.second[o * factors.rank + k]} * factors.first[k * matrix.inputs + i];
            }
            const double value = matrix.values[o * matrix.inputs + i];
            error += (value - sum) * (value - sum);
            all += value * value;
        }
    }
    return std::sqrt(error / all);
}

LowRank of_rank(const KnownMatrix& matrix, std::size_t rank) {
    return truncated_svd({matrix.values.data(), matrix.outputs, matrix.inputs, false}, {.rank = rank})
        .value();
}

std::optional<LowRank> of_energy(const KnownMatrix& matrix, double energy, std::size_t most_rank) {
    return truncated_svd({matrix.values.data(), matrix.outputs, matrix.inputs, false},
                         {.energy = energy, .most_rank = most_rank});
}

}  // namespace

TEST_CASE("A matrix of low rank is the product of its factors") {
    for (const Shape& shape : {Shape{300, 500}, {500, 300}, {31, 17}, {1, 40}, {40, 1}}) {
        const std::size_t rank = std::min({shape.outputs, shape.inputs, std::size_t{9}});
        CAPTURE(shape.outputs);
        CAPTURE(shape.inputs);
        const KnownMatrix matrix(shape, geometric(rank, 0.7));
        const LowRank factors = of_rank(matrix, rank);
        CHECK(factors.rank == rank);
        CHECK(factors.relative_error < 1e-6);
        // Each element of a factor is rounded once.
        CHECK(measured_error(matrix, factors) < 3e-7);
    }
}

TEST_CASE("The error equals the omitted singular values, by Eckart and Young") {
    for (const Shape& shape : {Shape{200, 300}, {300, 200}, {60, 61}}) {
        for (const double ratio : {0.98, 0.9}) {  // a flat spectrum is the harder one
            const KnownMatrix matrix(shape, geometric(60, ratio));
            for (const std::size_t rank : {1U, 7U, 20U, 50U}) {
                CAPTURE(shape.outputs);
                CAPTURE(ratio);
                CAPTURE(rank);
                const LowRank factors = of_rank(matrix, rank);
                const double expected = matrix.relative_error(rank);
                CHECK(factors.relative_error == doctest::Approx(expected).epsilon(1e-3));
                CHECK(factors.relative_error >= expected - 1e-6);
                CHECK(measured_error(matrix, factors) ==
                      doctest::Approx(factors.relative_error).epsilon(1e-4));
            }
        }
    }
}

TEST_CASE("Energy gives the smallest rank that holds it") {
    const KnownMatrix matrix({300, 400}, geometric(200, 0.97));
    for (const double energy : {0.3, 0.9, 0.99, 0.9999}) {
        CAPTURE(energy);
        const auto factors = of_energy(matrix, energy, 300);
        REQUIRE(factors);
        std::size_t least = 0;
        while (std::pow(matrix.relative_error(least), 2) > 1 - energy) ++least;
        CHECK(factors->rank == least);
        CHECK(1 - std::pow(factors->relative_error, 2) >= energy - 1e-9);
    }
    CHECK(of_energy(matrix, 0.9, 38)->rank == 38);
    CHECK_FALSE(of_energy(matrix, 0.9, 37));
    CHECK_FALSE(of_energy(matrix, 0.9, 0));
}

TEST_CASE("Both factors share the singular values") {
    const KnownMatrix matrix({50, 80}, {8, 4, 0.5});
    const LowRank factors = of_rank(matrix, 3);
    for (std::size_t k = 0; k < 3; ++k) {
        double first = 0;
        double second = 0;
        for (std::size_t i = 0; i < 80; ++i) first += std::pow(factors.first[k * 80 + i], 2);
        for (std::size_t o = 0; o < 50; ++o) second += std::pow(factors.second[o * 3 + k], 2);
        CHECK(first == doctest::Approx(matrix.singular_values[k]).epsilon(1e-5));
        CHECK(second == doctest::Approx(matrix.singular_values[k]).epsilon(1e-5));
    }
}

TEST_CASE("Input-major weights give the same factors, transposed") {
    for (const Shape& shape : {Shape{70, 90}, {90, 70}}) {
        const KnownMatrix matrix(shape, geometric(30, 0.8));
        const LowRank plain = of_rank(matrix, 5);
        const std::vector<float> values = matrix.input_major_values();
        const LowRank transposed =
            truncated_svd({values.data(), shape.outputs, shape.inputs, true}, {.rank = 5}).value();
        CHECK(transposed.relative_error == doctest::Approx(plain.relative_error));
        for (std::size_t k = 0; k < 5; ++k) {
            for (std::size_t i = 0; i < shape.inputs; ++i) {
                CHECK(transposed.first[i * 5 + k] ==
                      doctest::Approx(plain.first[k * shape.inputs + i]).epsilon(1e-4));
            }
            for (std::size_t o = 0; o < shape.outputs; ++o) {
                CHECK(transposed.second[k * shape.outputs + o] ==
                      doctest::Approx(plain.second[o * 5 + k]).epsilon(1e-4));
            }
        }
    }
}

TEST_CASE("A matrix of zeros has factors of zeros") {
    const KnownMatrix matrix({40, 50}, {0});
    for (const LowRank& factors : {of_rank(matrix, 3), *of_energy(matrix, 0.9, 40)}) {
        CHECK(factors.relative_error == 0);
        for (const float value : factors.first) CHECK(value == 0);
        for (const float value : factors.second) CHECK(value == 0);
    }
}
