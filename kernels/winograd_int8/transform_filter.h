// The transform of filters, for both tiles, in exact integers. A Value is an integer of at least 16 bits, or
// a vector of them, one for each of some filters.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/winograd_int8/complex_points.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels {
namespace {

/// The factor that makes all transformed filters integers of 16 bits.
constexpr std::int32_t transformed_filter_unit(WinogradInt8Tile tile) {
    return tile == WinogradInt8Tile::f2x2 ? 4 : 16;
}

/// A filter, 3×3 row by row.
template <class Value>
using Filter = std::array<Value, 9>;

/// One dimension of 2 G g.
template <class Value>
std::array<Value, 4> twice_transformed(const Value& g0, const Value& g1, const Value& g2) {
    return {g0 + g0, g0 + g1 + g2, g0 - g1 + g2, g2 + g2};
}

/// 4 G g Gᵀ of a filter g: magnitudes of at most 9 · 128.
template <class Value>
std::array<Value, 16> transformed_filter_f2x2(const Filter<Value>& g) {
    std::array<std::array<Value, 4>, 3> columns{};
    for (std::size_t j = 0; j < 3; ++j) columns[j] = twice_transformed(g[j], g[3 + j], g[6 + j]);
    std::array<Value, 16> result{};
    for (std::size_t i = 0; i < 4; ++i) {
        const auto row = twice_transformed(columns[0][i], columns[1][i], columns[2][i]);
        for (std::size_t j = 0; j < 4; ++j) result[i * 4 + j] = row[j];
    }
    return result;
}

/// One dimension of 4 G g on complex points, in the order G0, G1, G−1, G∞, γ, δ.
template <class Value>
std::array<Value, 6> complex_transformed(const Value& g0, const Value& g1, const Value& g2) {
    const Value twice_g0 = g0 + g0;
    const Value twice_g2 = g2 + g2;
    return {twice_g0 + twice_g0, g0 + g1 + g2, g0 - g1 + g2, twice_g2 + twice_g2, g0 - g2, g1};
}

/// The filters of F(4×4), times 16, at each position: magnitudes of at most 24 · 128.
template <class Value>
std::array<Value, 46> transformed_filter_f4x4(const Filter<Value>& g) {
    using namespace complex_points;
    std::array<std::array<Value, 6>, 3> columns{};
    for (std::size_t j = 0; j < 3; ++j) columns[j] = complex_transformed(g[j], g[3 + j], g[6 + j]);
    std::array<std::array<Value, 6>, 6> u{};
    for (std::size_t i = 0; i < 6; ++i) {
        u[i] = complex_transformed(columns[0][i], columns[1][i], columns[2][i]);
    }
    std::array<Value, 46> result{};
    const auto set_complex = [&](std::size_t position, const Value& real_part, const Value& imaginary_part) {
        const Value c = real_part + real_part;
        const Value d = imaginary_part + imaginary_part;
        result[position] = c;
        result[position + 1] = d;
        result[position + 2] = d - c;
    };
    constexpr std::size_t gamma = 4;
    constexpr std::size_t delta = 5;
    for (std::size_t r = 0; r < real_points; ++r) {
        for (std::size_t s = 0; s < real_points; ++s) result[real(r, s)] = u[r][s];
        set_complex(complex_column(r), u[r][gamma], u[r][delta]);
        set_complex(complex_row(r), u[gamma][r], u[delta][r]);
    }
    set_complex(both_complex, u[gamma][gamma] - u[delta][delta], u[gamma][delta] + u[delta][gamma]);
    set_complex(conjugates, u[gamma][gamma] + u[delta][delta], u[delta][gamma] - u[gamma][delta]);
    return result;
}

inline std::array<std::int32_t, 46> transformed_filter_f4x4(const std::int8_t* g) {
    Filter<std::int32_t> filter{};
    std::copy_n(g, filter.size(), filter.begin());
    return transformed_filter_f4x4(filter);
}

}  // namespace
}  // namespace vgg19::kernels
