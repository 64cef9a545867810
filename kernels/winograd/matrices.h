// The matrices of F(m, 3), for one side of a tile, from their interpolation points, at compile time.
#pragma once

#include <array>
#include <cstddef>

namespace vgg19::kernels {

/// For the points x_0 … x_{n−2} and infinity, with n = m + 2 and P(x) = Π (x − x_j):
///   output (Aᵀ, m×n)   Aᵀ[k][i] = x_i^k,                              and 1 at [m−1][n−1] for infinity
///   filter (G, n×3)    G[i][k]  = x_i^k / Π_{j≠i} (x_i − x_j),        and 1 at [n−1][2]
///   input (Bᵀ, n×n)    row i: the coefficients of P(x) / (x − x_i),   and those of P(x) itself in the last
/// (Toom 1963, Cook 1966; Blahut, "Fast Algorithms for Signal Processing", ch. 5.)
template <std::size_t m>
struct WinogradMatrices {
    static constexpr std::size_t n = m + 2;
    static constexpr std::size_t pairs = m / 2;
    static constexpr bool has_single = m % 2 == 1;  ///< a last point without its negative

    /// 0, then +p and −p alternating, and for odd m one more: the simple fractions with the smallest error,
    /// found by kernels/winograd/choose_points.py. Tests check the error bound.
    static constexpr std::array<double, n - 1> points() {
        if constexpr (m == 2) {
            return {0, 1, -1};
        } else if constexpr (m == 4) {
            return {0, 0.625, -0.625, 1.5, -1.5};
        } else if constexpr (m == 5) {
            return {0, 0.5, -0.5, 1, -1, -2};
        } else if constexpr (m == 6) {
            return {0, 0.5, -0.5, 1, -1, 2, -2};
        } else if constexpr (m == 7) {
            return {0, 0.75, -0.75, 1.125, -1.125, 2.25, -2.25, 0.25};
        } else {
            static_assert(m == 8);
            return {0, 0.375, -0.375, 0.875, -0.875, 1.25, -1.25, 2.5, -2.5};
        }
    }

    template <std::size_t count>
    using Square = std::array<std::array<double, count>, count>;
    static constexpr std::size_t symmetric_n = 2 * pairs + 2;

    std::array<std::array<double, n>, m> output{};
    std::array<std::array<double, 3>, n> filter{};
    Square<n> input = input_rows<n>();
    /// Bᵀ for the points except the single one, with Q(x) = P(x) / (x − single) instead of P: for all points
    /// that both have, the rows of Bᵀ are these rows, applied to d[k + 1] − single · d[k].
    Square<symmetric_n> symmetric_input = input_rows<symmetric_n>();

    constexpr WinogradMatrices() {
        constexpr auto x = points();
        for (std::size_t i = 0; i + 1 < n; ++i) {
            double power = 1;
            double scale = 1;
            for (std::size_t j = 0; j + 1 < n; ++j) scale *= j == i ? 1 : x[i] - x[j];
            for (std::size_t k = 0; k < m; ++k, power *= x[i]) {
                output[k][i] = power;
                if (k < 3) filter[i][k] = power / scale;
            }
            if constexpr (m == 2) filter[i][2] = x[i] * x[i] / scale;
        }
        output[m - 1][n - 1] = 1;
        filter[n - 1][2] = 1;
    }

  private:
    /// For the first count − 1 points: row i has the coefficients, constant term first, of Π (x − x_j) over
    /// all j except i; the last row has those of the whole product.
    template <std::size_t count>
    static constexpr Square<count> input_rows() {
        constexpr auto x = points();
        Square<count> rows{};
        for (std::size_t i = 0; i < count; ++i) {
            auto& coefficients = rows[i];
            coefficients[0] = 1;
            for (std::size_t j = 0; j + 1 < count; ++j) {
                if (j == i) continue;
                for (std::size_t k = count - 1; k > 0; --k) {
                    coefficients[k] = coefficients[k - 1] - x[j] * coefficients[k];
                }
                coefficients[0] *= -x[j];
            }
        }
        return rows;
    }
};

template <std::size_t m>
inline constexpr WinogradMatrices<m> winograd_matrices{};

}  // namespace vgg19::kernels
