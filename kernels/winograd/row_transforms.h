// One-dimensional transforms, over a vector type (kernels/winograd/steps.h).
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include "kernels/simd/unrolled.h"
#include "kernels/winograd/matrices.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// sum += coefficient · x, without the product where the coefficient is 0, 1 or −1; the first term starts the
/// sum.
template <class Vector>
struct Sum {
    typename Vector::Register value{};
    bool started = false;

    inline __attribute__((always_inline)) void add(double coefficient, typename Vector::Register x) {
        if (coefficient == 0) return;
        const auto factor = Vector::broadcast(static_cast<float>(coefficient));
        if (!started) {
            value = coefficient == 1 ? x : Vector::multiply(factor, x);
        } else if (coefficient == 1) {
            value = Vector::add(value, x);
        } else if (coefficient == -1) {
            value = Vector::subtract(value, x);
        } else {
            value = Vector::multiply_add(factor, x, value);
        }
        started = true;
    }
};

/// One row of a matrix times d, starting with the highest power: its coefficient is 1, so the sum starts
/// without a product.
template <class Vector, std::size_t row, auto matrix>
inline __attribute__((always_inline)) typename Vector::Register row_times(
    const typename Vector::Register* d) {
    constexpr std::size_t n = matrix[row].size();
    Sum<Vector> sum;
    unrolled<n>([&](auto j)
                    __attribute__((always_inline)) { sum.add(matrix[row][n - 1 - j], d[n - 1 - j]); });
    return sum.value;
}

/// The rows of Bᵀ d for 0 and the pairs of points. The rows of +p and −p differ in the sign of every second
/// coefficient, so they share two partial sums.
template <std::size_t m, class Vector>
inline __attribute__((always_inline)) void transform_symmetric_rows(const typename Vector::Register* d,
                                                                    typename Vector::Register* result) {
    using Matrices = WinogradMatrices<m>;
    constexpr auto matrix = winograd_matrices<m>.symmetric_input;
    constexpr std::size_t n = Matrices::symmetric_n;
    result[0] = row_times<Vector, 0, matrix>(d);
    unrolled<Matrices::pairs>([&](auto pair) __attribute__((always_inline)) {
        constexpr std::size_t plus = 1 + 2 * pair;
        constexpr double point = Matrices::points()[plus];
        // Even powers have equal signs in both rows, odd ones opposite signs: the partial sums are E and p·O,
        // with coefficients / p in O.
        Sum<Vector> even;
        Sum<Vector> odd;
        unrolled<n>([&](auto k) __attribute__((always_inline)) {
            constexpr std::size_t j = n - 1 - k;
            if constexpr (j % 2 == 0) {
                even.add(matrix[plus][j], d[j]);
            } else {
                odd.add(matrix[plus][j] / point, d[j]);
            }
        });
        if constexpr (point == 1) {
            result[plus] = Vector::add(even.value, odd.value);
            result[plus + 1] = Vector::subtract(even.value, odd.value);
        } else {
            result[plus] =
                Vector::multiply_add(Vector::broadcast(static_cast<float>(point)), odd.value, even.value);
            result[plus + 1] =
                Vector::multiply_add(Vector::broadcast(static_cast<float>(-point)), odd.value, even.value);
        }
    });
}

/// One-dimensional Bᵀ d: n values to n.
template <std::size_t m, class Vector>
inline __attribute__((always_inline)) void transform_input_row(const typename Vector::Register* d,
                                                               typename Vector::Register* result) {
    using Matrices = WinogradMatrices<m>;
    constexpr auto matrix = winograd_matrices<m>.symmetric_input;
    constexpr std::size_t last = Matrices::symmetric_n - 1;
    if constexpr (Matrices::has_single) {
        constexpr double single = Matrices::points().back();
        std::array<typename Vector::Register, Matrices::symmetric_n> shifted{};
        unrolled<Matrices::symmetric_n>([&](auto k) __attribute__((always_inline)) {
            Sum<Vector> sum;
            sum.add(1, d[k + 1]);
            sum.add(-single, d[k]);
            shifted[k] = sum.value;
        });
        transform_symmetric_rows<m, Vector>(shifted.data(), result);
        result[last] = row_times<Vector, last, matrix>(d);
        result[last + 1] = row_times<Vector, last, matrix>(shifted.data());
    } else {
        transform_symmetric_rows<m, Vector>(d, result);
        result[last] = row_times<Vector, last, matrix>(d);
    }
}

/// One-dimensional Aᵀ M: n values to m, also using sums and differences of pairs.
template <std::size_t m, class Vector>
inline __attribute__((always_inline)) void transform_output_row(const typename Vector::Register* products,
                                                                typename Vector::Register* result) {
    using Matrices = WinogradMatrices<m>;
    using Register = typename Vector::Register;
    constexpr const auto& matrix = winograd_matrices<m>.output;
    constexpr std::size_t n = Matrices::n;
    std::array<Register, Matrices::pairs> sums{};
    std::array<Register, Matrices::pairs> differences{};
    unrolled<Matrices::pairs>([&](auto pair) __attribute__((always_inline)) {
        sums[pair] = Vector::add(products[1 + 2 * pair], products[2 + 2 * pair]);
        differences[pair] = Vector::subtract(products[1 + 2 * pair], products[2 + 2 * pair]);
    });
    unrolled<m>([&](auto k) __attribute__((always_inline)) {
        Sum<Vector> sum;
        if constexpr (k == m - 1) sum.add(1, products[n - 1]);
        if constexpr (k == 0) sum.add(1, products[0]);
        if constexpr (Matrices::has_single) sum.add(matrix[k][n - 2], products[n - 2]);
        unrolled<Matrices::pairs>([&](auto pair) __attribute__((always_inline)) {
            sum.add(matrix[k][1 + 2 * pair], k % 2 == 0 ? sums[pair] : differences[pair]);
        });
        result[k] = sum.value;
    });
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
