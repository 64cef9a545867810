// The transforms of Winograd's F(4×4, 3×3) on the points 0, 1, −1, ∞, i and −i, in the notation of
// kernels/winograd_int8/complex_points.h.
#pragma once

#include <array>
#include <cstddef>

#include "engine/model/network.h"
#include "kernels/winograd_int8/complex_points.h"

namespace vgg19::converter {

inline constexpr std::size_t complex_tile_side = 6;
template <class Number>
using ComplexValues = std::array<Number, model::winograd_f4x4_positions>;

/// The transform of one dimension, at the real points 0, 1, −1, ∞, and the real and imaginary part at i.
template <class Number>
using ComplexLine = std::array<Number, complex_tile_side>;

/// Sets the three real positions of one complex one from a pair of tensor products.
template <class Number, class Combine>
void set_complex_values(const std::array<ComplexLine<Number>, complex_tile_side>& values,
                        ComplexValues<Number>& result, const Combine& combine) {
    using namespace kernels::complex_points;
    constexpr std::size_t e = real_points;
    constexpr std::size_t f = e + 1;
    const auto set = [&](std::size_t first, Number real_part, Number imaginary_part) {
        const std::array<Number, parts> three = combine(real_part, imaginary_part);
        for (std::size_t i = 0; i < parts; ++i) result[first + i] = three[i];
    };
    for (std::size_t r = 0; r < real_points; ++r) {
        for (std::size_t s = 0; s < real_points; ++s) result[real(r, s)] = values[r][s];
        set(complex_column(r), values[r][e], values[r][f]);
        set(complex_row(r), values[e][r], values[f][r]);
    }
    set(both_complex, values[e][e] - values[f][f], values[e][f] + values[f][e]);
    set(conjugates, values[e][e] + values[f][f], values[f][e] - values[e][f]);
}

/// V of 6×6 pixels, row by row.
template <class Number>
ComplexValues<Number> transform_complex_input(const std::array<Number, 36>& d) {
    constexpr std::size_t side = complex_tile_side;
    const auto line = [](const ComplexLine<Number>& x) {
        return ComplexLine<Number>{x[0] - x[4],
                                   (x[1] + x[3]) + (x[2] + x[4]),
                                   (x[2] + x[4]) - (x[1] + x[3]),
                                   x[5] - x[1],
                                   x[4] - x[2],
                                   x[3] - x[1]};
    };
    std::array<ComplexLine<Number>, side> half{};
    for (std::size_t j = 0; j < side; ++j) {
        const auto column =
            line({d[j], d[side + j], d[2 * side + j], d[3 * side + j], d[4 * side + j], d[5 * side + j]});
        for (std::size_t i = 0; i < side; ++i) half[i][j] = column[i];
    }
    for (ComplexLine<Number>& row : half) row = line(row);
    ComplexValues<Number> result{};
    set_complex_values(half, result, [](Number a, Number b) { return std::array<Number, 3>{a, b, a - b}; });
    return result;
}

/// U of a filter, 3×3 row by row.
inline ComplexValues<float> transform_complex_filter(const float* g) {
    constexpr std::size_t side = complex_tile_side;
    const auto line = [](float a, float b, float c) {
        return ComplexLine<float>{a, (a + b + c) / 4, (a - b + c) / 4, c, (a - c) / 4, b / 4};
    };
    std::array<ComplexLine<float>, 3> columns{};
    for (std::size_t j = 0; j < 3; ++j) columns[j] = line(g[j], g[j + 3], g[j + 6]);
    std::array<ComplexLine<float>, side> values{};
    for (std::size_t i = 0; i < side; ++i) values[i] = line(columns[0][i], columns[1][i], columns[2][i]);
    ComplexValues<float> result{};
    set_complex_values(values, result, [](float real_part, float imaginary_part) {
        const float c = 2 * real_part;
        const float d = 2 * imaginary_part;
        return std::array<float, 3>{c, d, d - c};
    });
    return result;
}

/// The 4×4 output, row by row: each position's product times its factor at each pixel.
inline std::array<float, 16> transform_complex_output(const ComplexValues<float>& m) {
    using namespace kernels::complex_points;
    constexpr std::size_t side = 4;
    // The powers of the real points 0, 1, −1, ∞.
    constexpr std::array<std::array<float, side>, real_points> alpha = {
        {{1, 0, 0, 0}, {1, 1, 1, 1}, {1, -1, 1, -1}, {0, 0, 0, 1}}};
    // Re(i^power · (R + i I)).
    const auto real_part = [&](std::size_t first, std::size_t power) {
        const float real_product = m[first] - m[first + 1];
        const float imaginary = m[first] + m[first + 1] + m[first + 2];
        const std::array<float, 4> parts_of = {real_product, -imaginary, -real_product, imaginary};
        return parts_of[power % 4];
    };
    std::array<float, side * side> y{};
    for (std::size_t u = 0; u < side; ++u) {
        for (std::size_t v = 0; v < side; ++v) {
            float sum = real_part(both_complex, u + v) + real_part(conjugates, u + 4 - v);
            for (std::size_t r = 0; r < real_points; ++r) {
                sum += alpha[r][u] * real_part(complex_column(r), v);
                sum += alpha[r][v] * real_part(complex_row(r), u);
                for (std::size_t s = 0; s < real_points; ++s) {
                    sum += alpha[r][u] * alpha[s][v] * m[real(r, s)];
                }
            }
            y[u * side + v] = sum;
        }
    }
    return y;
}

}  // namespace vgg19::converter
