// The steps of the kernel, over a vector type (kernels/simd/vector.h).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "kernels/common/parallel.h"
#include "kernels/simd/unrolled.h"
#include "kernels/training/winograd_gradient/winograd_gradient.h"
#include "kernels/winograd/row_transforms.h"
#include "kernels/winograd/with_tile.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// One-dimensional A ∂y: m values to n.
template <std::size_t m, class Vector>
inline __attribute__((always_inline)) void transform_gradient_row(const typename Vector::Register* gradient,
                                                                  typename Vector::Register* result) {
    using Matrices = WinogradMatrices<m>;
    constexpr const auto& matrix = winograd_matrices<m>.output;
    constexpr std::size_t n = Matrices::n;
    result[0] = gradient[0];
    unrolled<Matrices::pairs>([&](auto pair) __attribute__((always_inline)) {
        constexpr std::size_t plus = 1 + 2 * pair;
        Sum<Vector> even;
        Sum<Vector> odd;
        unrolled<m>([&](auto k) __attribute__((always_inline)) {
            (k % 2 == 0 ? even : odd).add(matrix[k][plus], gradient[k]);
        });
        result[plus] = Vector::add(even.value, odd.value);
        result[plus + 1] = Vector::subtract(even.value, odd.value);
    });
    if constexpr (Matrices::has_single) {
        Sum<Vector> sum;
        unrolled<m>([&](auto k) __attribute__((always_inline)) { sum.add(matrix[k][n - 2], gradient[k]); });
        result[n - 2] = sum.value;
    }
    result[n - 1] = gradient[m - 1];
}

/// One-dimensional Gᵀ s: n values to 3; or |Gᵀ| s for magnitudes.
template <std::size_t m, bool magnitude, class Vector>
inline __attribute__((always_inline)) void transform_sums_row(const typename Vector::Register* sums,
                                                              typename Vector::Register* result) {
    constexpr auto matrix = [] {
        auto values = winograd_matrices<m>.filter;
        for (auto& row : values) {
            for (double& value : row) value = magnitude && value < 0 ? -value : value;
        }
        return values;
    }();
    unrolled<3>([&](auto tap) __attribute__((always_inline)) {
        Sum<Vector> sum;
        unrolled<m + 2>([&](auto i) __attribute__((always_inline)) { sum.add(matrix[i][tap], sums[i]); });
        result[tap] = sum.value;
    });
}

template <std::size_t m, class Vector>
struct WinogradGradientTransforms {
    using Register = typename Vector::Register;
    static constexpr std::size_t n = m + 2;
    static constexpr std::size_t lanes = Vector::width;
    /// A gradient below this share of the summed magnitudes is set to zero: it may be pure rounding error,
    /// which an optimiser such as Adam, which normalises gradients by their size, would treat as a direction.
    /// On small maps many gradients are exactly zero.
    static constexpr float noise = 16 * std::numeric_limits<float>::epsilon();

    /// ∂Y → A ∂Y Aᵀ. The tile's rows are `row_floats` apart; results go to transformed[position · stride].
    /// Returns the sum of the pixels.
    static inline __attribute__((always_inline)) Register tile(const float* corner, std::size_t row_floats,
                                                               float* transformed, std::size_t stride) {
        Register total = Vector::zero();
        std::array<std::array<Register, n>, m> columns{};  // columns[j]: A times column j
        unrolled<m>([&](auto j) __attribute__((always_inline)) {
            std::array<Register, m> pixels{};
            unrolled<m>([&](auto i) __attribute__((always_inline)) {
                pixels[i] = Vector::load(corner + i * row_floats + j * lanes);
                total = Vector::add(total, pixels[i]);
            });
            transform_gradient_row<m, Vector>(pixels.data(), columns[j].data());
        });
        unrolled<n>([&](auto i) __attribute__((always_inline)) {
            std::array<Register, m> row{};
            std::array<Register, n> result{};
            unrolled<m>([&](auto j) __attribute__((always_inline)) { row[j] = columns[j][i]; });
            transform_gradient_row<m, Vector>(row.data(), result.data());
            unrolled<n>([&](auto j) __attribute__((always_inline)) {
                Vector::store(transformed + (i * n + j) * stride, result[j]);
            });
        });
        return total;
    }

    static void gradient(const WinogradGradient& problem, TileRange tiles, BlockRange blocks,
                         float* transformed, float* bias_sums) {
        const Winograd& forward = problem.forward;
        const std::size_t row_floats = forward.width * lanes;
        const std::size_t stride = problem.transformed_stride(tiles.size());
        const std::size_t tile_columns = forward.tile_columns();
        const std::size_t tile_rows = forward.tile_rows();
        alignas(64) float padded[m * m * lanes];
        for (std::size_t block = blocks.begin; block < blocks.end; ++block) {
            Register total = Vector::zero();
            for (std::size_t index = tiles.begin; index < tiles.end; ++index) {
                const std::size_t image = index / (tile_rows * tile_columns);
                const std::size_t first_row = index / tile_columns % tile_rows * m;
                const std::size_t first_column = index % tile_columns * m;
                const float* corner =
                    problem.output_gradient +
                    (image * forward.output_blocks() + block) * forward.height * row_floats +
                    first_row * row_floats + first_column * lanes;
                float* target = transformed + (block * tiles.size() + index - tiles.begin) * lanes;
                const std::size_t rows = forward.height - first_row;
                const std::size_t columns = forward.width - first_column;
                std::size_t step = row_floats;
                if (rows < m || columns < m) {
                    copy_border_tile(corner, row_floats, rows, columns, padded);
                    corner = padded;
                    step = m * lanes;
                }
                total = Vector::add(total, tile(corner, step, target, stride));
            }
            float* sums = bias_sums + block * lanes;
            Vector::store(sums, Vector::add(Vector::load(sums), total));
        }
    }

    /// Copies a tile that reaches past the map's end; the gradient is zero there.
    static __attribute__((noinline)) void copy_border_tile(const float* corner, std::size_t row_floats,
                                                           std::size_t rows, std::size_t columns,
                                                           float* padded) {
        for (std::size_t i = 0; i < m; ++i) {
            for (std::size_t j = 0; j < m; ++j) {
                const bool inside = i < rows && j < columns;
                Vector::store(padded + (i * m + j) * lanes,
                              inside ? Vector::load(corner + i * row_floats + j * lanes) : Vector::zero());
            }
        }
    }

    static inline __attribute__((always_inline)) Register magnitude_of(Register value) {
        return Vector::maximum(value, Vector::subtract(Vector::zero(), value));
    }

    /// Turns the sums of one input channel and one vector of output channels into 3×3 taps, [tap][lane]; or
    /// computes |Gᵀ| |sums| |G| for magnitudes.
    template <bool magnitude>
    static inline __attribute__((always_inline)) void taps(const float* sums, std::size_t position_stride,
                                                           float* result) {
        Register rows[3][n];  // rows[u][j]: row u of Gᵀ times column j
        for (std::size_t j = 0; j < n; ++j) {
            std::array<Register, n> column{};
            std::array<Register, 3> values{};
            unrolled<n>([&](auto i) __attribute__((always_inline)) {
                column[i] = Vector::load(sums + (i * n + j) * position_stride);
                if constexpr (magnitude) column[i] = magnitude_of(column[i]);
            });
            transform_sums_row<m, magnitude, Vector>(column.data(), values.data());
            for (std::size_t u = 0; u < 3; ++u) rows[u][j] = values[u];
        }
        for (std::size_t u = 0; u < 3; ++u) {
            std::array<Register, 3> values{};
            transform_sums_row<m, magnitude, Vector>(rows[u], values.data());
            for (std::size_t v = 0; v < 3; ++v) Vector::store(result + (3 * u + v) * lanes, values[v]);
        }
    }

    static void finish(const WinogradGradient& problem, std::size_t group, const float* sums) {
        const Winograd& forward = problem.forward;
        const Range blocks = part_of(forward.output_blocks(), problem.groups(), group);
        const std::size_t columns = blocks.end - blocks.begin;
        const std::size_t position_stride = problem.input_lanes() * problem.output_lanes();
        const float* group_sums = sums + blocks.begin * problem.input_lanes() * lanes;
        for (std::size_t column = 0; column < columns; ++column) {
            const std::size_t first_output = (blocks.begin + column) * lanes;
            const std::size_t outputs = std::min(lanes, forward.output_channels - first_output);
            for (std::size_t input = 0; input < forward.input_channels; ++input) {
                const float* channel_sums = group_sums + (input * columns + column) * lanes;
                float values[9 * lanes];
                float magnitudes[9 * lanes];
                taps<false>(channel_sums, position_stride, values);
                taps<true>(channel_sums, position_stride, magnitudes);
                for (std::size_t i = 0; i < 9 * lanes; ++i) {
                    if (std::abs(values[i]) <= noise * magnitudes[i]) values[i] = 0;
                }
                for (std::size_t lane = 0; lane < outputs; ++lane) {
                    float* target = problem.weights_gradient +
                                    ((first_output + lane) * forward.input_channels + input) * 9;
                    for (std::size_t tap = 0; tap < 9; ++tap) target[tap] += values[tap * lanes + lane];
                }
            }
        }
    }
};

/// The number of input channels in a register tile, a divisor of the width: 8 × 3 sums, 3 gradients and a
/// value fill 28 of 32 registers, 4 × 3 all of 16.
template <class Vector>
constexpr std::size_t gradient_rows = Vector::registers >= 32 ? 8 : 4;

/// The products of one position, for gradient_rows input channels × `columns` vectors of output channels,
/// over all tiles.
template <class Vector, std::size_t columns>
inline __attribute__((always_inline)) void add_tile_products(const float* input, const float* gradient,
                                                             std::size_t tile_count, float* sums) {
    constexpr std::size_t lanes = Vector::width;
    constexpr std::size_t rows = gradient_rows<Vector>;
    typename Vector::Register products[rows][columns];
    unrolled<rows>([&](auto row) __attribute__((always_inline)) {
        unrolled<columns>([&](auto column)
                              __attribute__((always_inline)) { products[row][column] = Vector::zero(); });
    });
    const std::size_t block_stride = tile_count * lanes;
    for (std::size_t tile = 0; tile < tile_count; ++tile, input += lanes, gradient += lanes) {
        typename Vector::Register gradients[columns];
        unrolled<columns>([&](auto column) __attribute__((always_inline)) {
            gradients[column] = Vector::load(gradient + column * block_stride);
        });
        unrolled<rows>([&](auto row) __attribute__((always_inline)) {
            const auto value = Vector::broadcast(input[row]);
            unrolled<columns>([&](auto column) __attribute__((always_inline)) {
                products[row][column] = Vector::multiply_add(value, gradients[column], products[row][column]);
            });
        });
    }
    unrolled<rows>([&](auto row) __attribute__((always_inline)) {
        unrolled<columns>([&](auto column) __attribute__((always_inline)) {
            float* sum = sums + (row * columns + column) * lanes;
            Vector::store(sum, Vector::add(Vector::load(sum), products[row][column]));
        });
    });
}

template <class Vector>
struct WinogradGradientKernel {
    static constexpr std::size_t lanes = Vector::width;

    static void transform_gradient(const WinogradGradient& problem, TileRange tiles, BlockRange blocks,
                                   float* transformed, float* bias_sums) {
        with_tile<winograd_gradient_tiles>(problem.forward.tile, [&](auto m, auto) {
            WinogradGradientTransforms<m, Vector>::gradient(problem, tiles, blocks, transformed, bias_sums);
        });
    }

    template <std::size_t columns>
    static void multiply_group(const WinogradGradient& problem, std::size_t tile_count, const float* input,
                               const float* gradient, float* sums) {
        for (std::size_t block = 0; block < problem.forward.input_blocks(); ++block) {
            for (std::size_t lane = 0; lane < lanes; lane += gradient_rows<Vector>) {
                add_tile_products<Vector, columns>(input + block * tile_count * lanes + lane, gradient,
                                                   tile_count,
                                                   sums + (block * lanes + lane) * columns * lanes);
            }
        }
    }

    static void multiply(const WinogradGradient& problem, std::size_t tile_count, std::size_t position,
                         std::size_t group, const float* transformed_input, const float* transformed_gradient,
                         float* sums) {
        static_assert(WinogradGradient::most_group_blocks == 3);
        const Range blocks = part_of(problem.forward.output_blocks(), problem.groups(), group);
        const float* input = transformed_input + position * problem.forward.transformed_stride(tile_count);
        const float* gradient = transformed_gradient + position * problem.transformed_stride(tile_count) +
                                blocks.begin * tile_count * lanes;
        float* group_sums =
            sums + (position * problem.output_lanes() + blocks.begin * lanes) * problem.input_lanes();
        switch (blocks.end - blocks.begin) {
            case 3:
                return multiply_group<3>(problem, tile_count, input, gradient, group_sums);
            case 2:
                return multiply_group<2>(problem, tile_count, input, gradient, group_sums);
            default:
                return multiply_group<1>(problem, tile_count, input, gradient, group_sums);
        }
    }

    static void finish(const WinogradGradient& problem, std::size_t group, const float* sums) {
        with_tile<winograd_gradient_tiles>(problem.forward.tile, [&](auto m, auto) {
            WinogradGradientTransforms<m, Vector>::finish(problem, group, sums);
        });
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
