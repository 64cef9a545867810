// The transforms of INT8 Winograd's tiles F(2×2, 3×3) and F(4×4, 3×3), in the notation of
// kernels/winograd_int8/winograd_int8.h and complex_points.h.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "converter/quantize/complex_tile.h"
#include "engine/model/network.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::converter {

/// A 4×4 tile, row by row: position p is row p / 4 and column p % 4.
template <class Number>
using Tile = std::array<Number, model::winograd_positions>;

/// The only position where transformed inputs are never negative, of both tiles: sums of pixels.
inline constexpr std::size_t sum_position = 5;

/// The number of quantization steps for a transformed input's magnitude: that of an unsigned or a signed
/// byte.
constexpr int transformed_levels(std::size_t position) {
    return position == sum_position ? 255 : 127;
}

/// Bᵀ d B of F(2×2).
template <class Number>
Tile<Number> transform_input(const Tile<Number>& d) {
    constexpr std::size_t side = 4;
    const auto combine = [](const Tile<Number>& in, Tile<Number>& out, std::size_t start, std::size_t step) {
        const Number a = in[start];
        const Number b = in[start + step];
        const Number c = in[start + 2 * step];
        const Number e = in[start + 3 * step];
        out[start] = a - c;
        out[start + step] = b + c;
        out[start + 2 * step] = c - b;
        out[start + 3 * step] = b - e;
    };
    Tile<Number> half;
    Tile<Number> result;
    for (std::size_t column = 0; column < side; ++column) combine(d, half, column, side);
    for (std::size_t row = 0; row < side; ++row) combine(half, result, row * side, 1);
    return result;
}

/// G g Gᵀ of a filter, 3×3 row by row.
inline Tile<float> transform_filter(const float* g) {
    constexpr std::size_t side = 4;
    const auto combine = [](float a, float b, float c) {
        return std::array<float, side>{a, (a + b + c) / 2, (a - b + c) / 2, c};
    };
    std::array<std::array<float, side>, 3> columns{};
    for (std::size_t column = 0; column < 3; ++column) {
        columns[column] = combine(g[column], g[column + 3], g[column + 6]);
    }
    Tile<float> result;
    for (std::size_t row = 0; row < side; ++row) {
        const auto values = combine(columns[0][row], columns[1][row], columns[2][row]);
        for (std::size_t column = 0; column < side; ++column) {
            result[row * side + column] = values[column];
        }
    }
    return result;
}

/// Aᵀ M A: the 2×2 output, row by row.
inline std::array<float, 4> transform_output(const Tile<float>& m) {
    constexpr std::size_t side = 4;
    std::array<float, 2 * side> rows{};
    for (std::size_t column = 0; column < side; ++column) {
        rows[column] = m[column] + m[column + 4] + m[column + 8];
        rows[column + 4] = m[column + 4] - m[column + 8] - m[column + 12];
    }
    return {rows[0] + rows[1] + rows[2], rows[1] - rows[2] - rows[3], rows[4] + rows[5] + rows[6],
            rows[5] - rows[6] - rows[7]};
}

/// The tiles, each with its pixels' side, the distance between tiles (which equals the side of a tile's
/// output), and its transforms.
struct TileF2x2 {
    static constexpr kernels::WinogradInt8Tile kernel = kernels::WinogradInt8Tile::f2x2;
    static constexpr std::size_t side = 4;
    static constexpr std::size_t step = 2;
    static constexpr std::size_t positions = model::winograd_positions;
    template <class Number>
    using Pixels = std::array<Number, side * side>;
    template <class Number>
    using Values = std::array<Number, positions>;
    using Output = std::array<float, step * step>;

    template <class Number>
    static Values<Number> input(const Pixels<Number>& pixels) {
        return transform_input(pixels);
    }
    static Values<float> filter(const float* g) { return transform_filter(g); }
    static Output output(const Values<float>& products) { return transform_output(products); }
};
struct TileF4x4 {
    static constexpr kernels::WinogradInt8Tile kernel = kernels::WinogradInt8Tile::f4x4;
    static constexpr std::size_t side = complex_tile_side;
    static constexpr std::size_t step = 4;
    static constexpr std::size_t positions = model::winograd_f4x4_positions;
    template <class Number>
    using Pixels = std::array<Number, side * side>;
    template <class Number>
    using Values = std::array<Number, positions>;
    using Output = std::array<float, step * step>;

    template <class Number>
    static Values<Number> input(const Pixels<Number>& pixels) {
        return transform_complex_input(pixels);
    }
    static Values<float> filter(const float* g) { return transform_complex_filter(g); }
    static Output output(const Values<float>& products) { return transform_complex_output(products); }
};

}  // namespace vgg19::converter
