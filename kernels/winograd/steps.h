// The steps of the Winograd kernel, over a vector type (kernels/simd/vector.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

#include "kernels/simd/unrolled.h"
#include "kernels/winograd/pack.h"
#include "kernels/winograd/products.h"
#include "kernels/winograd/row_transforms.h"
#include "kernels/winograd/tile_side.h"
#include "kernels/winograd/winograd.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// The position of a tile: the image, and its first output row and column.
struct TilePlace {
    std::size_t image;
    std::size_t row;
    std::size_t column;
};

inline TilePlace place_of(const Winograd& problem, std::size_t tile) {
    const std::size_t columns = problem.tile_columns();
    const std::size_t rows = problem.tile_rows();
    return {tile / (rows * columns), tile / columns % rows * problem.tile_side(),
            tile % columns * problem.tile_side()};
}

template <std::size_t m, class Vector>
struct WinogradTransforms {
    using Register = typename Vector::Register;
    static constexpr std::size_t n = m + 2;
    static constexpr std::size_t lanes = Vector::width;

    /// d → Bᵀ d B. The tile's rows are `row_floats` apart; results go to transformed[position · stride].
    static inline __attribute__((always_inline)) void input_tile(const float* corner, std::size_t row_floats,
                                                                 float* transformed, std::size_t stride) {
        std::array<std::array<Register, n>, n> columns{};  // columns[j]: Bᵀ times column j
        unrolled<n>([&](auto j) __attribute__((always_inline)) {
            std::array<Register, n> d{};
            unrolled<n>([&](auto i) __attribute__((always_inline)) {
                d[i] = Vector::load(corner + i * row_floats + j * lanes);
            });
            transform_input_row<m, Vector>(d.data(), columns[j].data());
        });
        unrolled<n>([&](auto i) __attribute__((always_inline)) {
            std::array<Register, n> row{};
            std::array<Register, n> result{};
            unrolled<n>([&](auto j) __attribute__((always_inline)) { row[j] = columns[j][i]; });
            transform_input_row<m, Vector>(row.data(), result.data());
            unrolled<n>([&](auto j) __attribute__((always_inline)) {
                Vector::store(transformed + (i * n + j) * stride, result[j]);
            });
        });
    }

    /// Prefetches the pixels of a tile that its neighbours do not share: they are far apart in memory, in
    /// runs too short for the hardware prefetcher.
    static inline __attribute__((always_inline)) void prefetch(const Winograd& problem, TilePlace place,
                                                               const float* plane) {
        const std::size_t rows = std::min(m, problem.height - place.row);
        const float* corner = plane + (place.row * problem.width + place.column) * lanes;
        for (std::size_t i = 0; i < rows; ++i) {
            unrolled<m>([&](auto j) __attribute__((always_inline)) {
                __builtin_prefetch(corner + i * problem.width * lanes + j * lanes);
            });
        }
    }

    static void input(const Winograd& problem, const WinogradExtent& extent, TileRange tiles,
                      IndexRange blocks, float* transformed) {
        const std::size_t row_floats = problem.width * lanes;
        const std::size_t stride = problem.transformed_stride(extent.tiles.size());
        alignas(64) float padded[n * n * lanes];
        for (std::size_t block = blocks.begin; block < blocks.end; ++block) {
            for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile) {
                const TilePlace place = place_of(problem, tile);
                const float* plane = problem.input + (place.image * problem.input_blocks() + block) *
                                                         problem.height * row_floats;
                float* target =
                    transformed + (block * extent.tiles.size() + tile - extent.tiles.begin) * lanes;
                if (block + 1 < blocks.end) prefetch(problem, place, plane + problem.height * row_floats);
                const float* corner = padded;
                std::size_t step = n * lanes;
                // The input tile starts one pixel above and to the left of the output tile.
                const bool inside = place.row > 0 && place.column > 0 && place.row + m < problem.height &&
                                    place.column + m < problem.width;
                if (inside) {
                    corner = plane + (place.row - 1) * row_floats + (place.column - 1) * lanes;
                    step = row_floats;
                } else {
                    copy_border_tile(problem, place, plane, padded);
                }
                input_tile(corner, step, target, stride);
            }
        }
    }

    /// Copies a tile, with zeros where it reaches past the map. In a function of its own, so that the common
    /// case stays small.
    static __attribute__((noinline)) void copy_border_tile(const Winograd& problem, TilePlace place,
                                                           const float* plane, float* padded) {
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                // Unsigned: −1 wraps to a value past the end.
                const std::size_t row = place.row + i - 1;
                const std::size_t column = place.column + j - 1;
                const bool inside = row < problem.height && column < problem.width;
                Vector::store(
                    padded + (i * n + j) * lanes,
                    inside ? Vector::load(plane + (row * problem.width + column) * lanes) : Vector::zero());
            }
        }
    }

    /// Computes Aᵀ M A, adds the bias, and clamps to at least `least` (0 for ReLU): m×m pixels of one block
    /// of output channels.
    static inline __attribute__((always_inline)) void output_tile(
        const float* products, std::size_t stride, Register bias, Register least,
        std::array<std::array<Register, m>, m>& pixels) {
        std::array<std::array<Register, m>, n> columns{};  // columns[j]: Aᵀ times column j
        unrolled<n>([&](auto j) __attribute__((always_inline)) {
            std::array<Register, n> column{};
            unrolled<n>([&](auto i) __attribute__((always_inline)) {
                column[i] = Vector::load(products + (i * n + j) * stride);
            });
            transform_output_row<m, Vector>(column.data(), columns[j].data());
        });
        unrolled<m>([&](auto i) __attribute__((always_inline)) {
            std::array<Register, n> row{};
            unrolled<n>([&](auto j) __attribute__((always_inline)) { row[j] = columns[j][i]; });
            transform_output_row<m, Vector>(row.data(), pixels[i].data());
            unrolled<m>([&](auto j) __attribute__((always_inline)) {
                pixels[i][j] = Vector::maximum(Vector::add(pixels[i][j], bias), least);
            });
        });
    }

    /// Writes the pixels that are inside the map.
    static inline __attribute__((always_inline)) void store_tile(
        const std::array<std::array<Register, m>, m>& pixels, std::size_t rows, std::size_t columns,
        float* corner, std::size_t row_floats) {
        unrolled<m>([&](auto i) __attribute__((always_inline)) {
            if (i >= rows) return;
            unrolled<m>([&](auto j) __attribute__((always_inline)) {
                if (j < columns) Vector::store(corner + i * row_floats + j * lanes, pixels[i][j]);
            });
        });
    }

    /// The same after the max-pool. m is even and tiles start at multiples of it, so no window spans two
    /// tiles.
    static inline __attribute__((always_inline)) void store_pooled_tile(
        const std::array<std::array<Register, m>, m>& pixels, std::size_t rows, std::size_t columns,
        float* corner, std::size_t row_floats) {
        unrolled<m / 2>([&](auto i) __attribute__((always_inline)) {
            if (2 * i + 1 >= rows) return;
            unrolled<m / 2>([&](auto j) __attribute__((always_inline)) {
                if (2 * j + 1 >= columns) return;
                const Register upper = Vector::maximum(pixels[2 * i][2 * j], pixels[2 * i][2 * j + 1]);
                const Register lower =
                    Vector::maximum(pixels[2 * i + 1][2 * j], pixels[2 * i + 1][2 * j + 1]);
                Vector::store(corner + i * row_floats + j * lanes, Vector::maximum(upper, lower));
            });
        });
    }

    /// `products` are the group's.
    static void output(const Winograd& problem, const WinogradExtent& extent, TileRange tiles,
                       std::size_t group, const float* products) {
        const std::size_t shrink = problem.pool ? 2 : 1;
        const std::size_t height = problem.height / shrink;
        const std::size_t width = problem.width / shrink;
        const std::size_t stride = problem.product_stride(extent);
        const std::size_t first_block = group * Winograd::group_blocks;
        const std::size_t blocks = std::min(Winograd::group_blocks, problem.output_blocks() - first_block);
        const Register least =
            Vector::broadcast(problem.relu ? 0.0F : -std::numeric_limits<float>::infinity());
        for (std::size_t block = 0; block < blocks; ++block) {
            const Register bias = Vector::load(problem.bias + (first_block + block) * lanes);
            for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile) {
                const TilePlace place = place_of(problem, tile);
                std::array<std::array<Register, m>, m> pixels{};
                output_tile(products + ((tile - extent.tiles.begin) * blocks + block) * lanes, stride, bias,
                            least, pixels);
                float* plane =
                    problem.output +
                    (place.image * problem.output_blocks() + first_block + block) * height * width * lanes;
                float* corner = plane + (place.row / shrink * width + place.column / shrink) * lanes;
                const std::size_t rows = std::min(m, problem.height - place.row);
                const std::size_t columns = std::min(m, problem.width - place.column);
                if (m % 2 == 0 && problem.pool) {
                    store_pooled_tile(pixels, rows, columns, corner, width * lanes);
                } else {
                    store_tile(pixels, rows, columns, corner, width * lanes);
                }
            }
        }
    }
};

template <class Vector>
struct WinogradKernel {
    static void transform_input(const Winograd& problem, const WinogradExtent& extent, TileRange tiles,
                                IndexRange input_blocks, float* transformed) {
        with_tile_side(problem.tile, [&](auto m) {
            WinogradTransforms<m, Vector>::input(problem, extent, tiles, input_blocks, transformed);
        });
    }

    static void multiply(const Winograd& problem, const WinogradExtent& extent, IndexRange positions,
                         IndexRange groups, const float* transformed, float* products) {
        const std::size_t stride = problem.transformed_stride(extent.tiles.size());
        for (std::size_t position = positions.begin; position < positions.end; ++position) {
            for (std::size_t group = groups.begin; group < groups.end; ++group) {
                const float* filters = filters_at(problem, position, group);
                const float* next = group + 1 < groups.end ? filters_at(problem, position, group + 1)
                                                           : filters_at(problem, position + 1, groups.begin);
                float* target =
                    products + position * problem.product_stride(extent) + group_offset(extent, group);
                multiply_position(problem, group, extent.tiles.size(), transformed + position * stride,
                                  filters, next, target);
            }
        }
    }

    static void transform_output(const Winograd& problem, const WinogradExtent& extent, TileRange tiles,
                                 IndexRange groups, const float* products) {
        with_tile_side(problem.tile, [&](auto m) {
            for (std::size_t group = groups.begin; group < groups.end; ++group) {
                WinogradTransforms<m, Vector>::output(problem, extent, tiles, group,
                                                      products + group_offset(extent, group));
            }
        });
    }

    static void pack_weights(const Winograd& problem, std::size_t group, const float* weights,
                             float* packed) {
        winograd_pack_group<Vector::width>(problem, group, weights, packed);
    }

  private:
    static void multiply_position(const Winograd& problem, std::size_t group, std::size_t tile_count,
                                  const float* transformed, const float* filters, const float* next,
                                  float* products) {
        if (problem.group_size(group) == Winograd::group_blocks) {
            WinogradProducts<Vector, Winograd::group_blocks>::run(problem, tile_count, transformed, filters,
                                                                  next, products);
        } else {
            WinogradProducts<Vector, 1>::run(problem, tile_count, transformed, filters, next, products);
        }
    }

    static const float* filters_at(const Winograd& problem, std::size_t position, std::size_t group) {
        const std::size_t channels = problem.input_blocks() * Vector::width;
        // All groups except the last have the same size.
        return problem.weights + group * problem.packed_group_size(0) +
               position * channels * problem.group_size(group) * Vector::width;
    }

    /// The offset in floats of a group in each position's products.
    static std::size_t group_offset(const WinogradExtent& extent, std::size_t group) {
        return (group - extent.groups.begin) * extent.tiles.size() * Winograd::group_blocks * Vector::width;
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
