// The transforms of Winograd's F(2×2, 3×3), in the notation of kernels/winograd_int8/winograd_int8.h.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "engine/model/network.h"

namespace vgg19::converter {

/// A 4×4 tile, row by row: position p is row p / 4 and column p % 4.
template <class Number>
using Tile = std::array<Number, model::winograd_positions>;

inline constexpr std::size_t tile_side = 4;
inline constexpr std::size_t tile_step =
    2;  ///< the distance between tiles, which equals the size of a tile's output

/// The only position where transformed inputs are never negative: sums of four pixels.
inline constexpr std::size_t sum_position = 5;

/// The number of quantization steps for a transformed input's magnitude: that of an unsigned or a signed
/// byte.
constexpr int transformed_levels(std::size_t position) {
    return position == sum_position ? 255 : 127;
}

/// Bᵀ d B
template <class Number>
Tile<Number> transform_input(const Tile<Number>& d) {
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
    for (std::size_t column = 0; column < tile_side; ++column) combine(d, half, column, tile_side);
    for (std::size_t row = 0; row < tile_side; ++row) combine(half, result, row * tile_side, 1);
    return result;
}

/// G g Gᵀ of a filter, 3×3 row by row.
inline Tile<float> transform_filter(const float* g) {
    const auto combine = [](float a, float b, float c) {
        return std::array<float, tile_side>{a, (a + b + c) / 2, (a - b + c) / 2, c};
    };
    std::array<std::array<float, tile_side>, 3> columns{};
    for (std::size_t column = 0; column < 3; ++column) {
        columns[column] = combine(g[column], g[column + 3], g[column + 6]);
    }
    Tile<float> result;
    for (std::size_t row = 0; row < tile_side; ++row) {
        const auto values = combine(columns[0][row], columns[1][row], columns[2][row]);
        for (std::size_t column = 0; column < tile_side; ++column) {
            result[row * tile_side + column] = values[column];
        }
    }
    return result;
}

/// Aᵀ M A: the 2×2 output, row by row.
inline std::array<float, 4> transform_output(const Tile<float>& m) {
    std::array<float, 2 * tile_side> rows{};
    for (std::size_t column = 0; column < tile_side; ++column) {
        rows[column] = m[column] + m[column + 4] + m[column + 8];
        rows[column + 4] = m[column + 4] - m[column + 8] - m[column + 12];
    }
    return {rows[0] + rows[1] + rows[2], rows[1] - rows[2] - rows[3], rows[4] + rows[5] + rows[6],
            rows[5] - rows[6] - rows[7]};
}

}  // namespace vgg19::converter
