// The steps of the Winograd kernel, over a vector type (kernels/simd/vector.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

#include "kernels/relu/bits.h"
#include "kernels/simd/unrolled.h"
#include "kernels/winograd/pack.h"
#include "kernels/winograd/products.h"
#include "kernels/winograd/row_transforms.h"
#include "kernels/winograd/winograd.h"
#include "kernels/winograd/with_tile.h"

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
    return {tile / (rows * columns), tile / columns % rows * problem.tile.rows,
            tile % columns * problem.tile.columns};
}

/// For tiles of m×k pixels.
template <std::size_t m, std::size_t k, class Vector>
struct WinogradTransforms {
    using Register = typename Vector::Register;
    static constexpr std::size_t input_rows = m + 2;
    static constexpr std::size_t input_columns = k + 2;
    static constexpr std::size_t lanes = Vector::width;
    using Pixels = std::array<std::array<Register, k>, m>;

    /// d → Bᵀ d B. The tile's rows are `row_floats` apart; results go to transformed[position · stride]. The
    /// next tile's follow them, in more places than hardware prefetchers keep track of.
    static inline __attribute__((always_inline)) void input_tile(const float* corner, std::size_t row_floats,
                                                                 float* transformed, std::size_t stride) {
        // columns[j]: Bᵀ times column j
        std::array<std::array<Register, input_rows>, input_columns> columns{};
        unrolled<input_columns>([&](auto j) __attribute__((always_inline)) {
            std::array<Register, input_rows> d{};
            unrolled<input_rows>([&](auto i) __attribute__((always_inline)) {
                d[i] = Vector::load(corner + i * row_floats + j * lanes);
            });
            transform_input_row<m, Vector>(d.data(), columns[j].data());
        });
        unrolled<input_rows>([&](auto i) __attribute__((always_inline)) {
            std::array<Register, input_columns> row{};
            std::array<Register, input_columns> result{};
            unrolled<input_columns>([&](auto j) __attribute__((always_inline)) { row[j] = columns[j][i]; });
            transform_input_row<k, Vector>(row.data(), result.data());
            unrolled<input_columns>([&](auto j) __attribute__((always_inline)) {
                float* place = transformed + (i * input_columns + j) * stride;
                Vector::store(place, result[j]);
                Vector::prefetch_for_write(place + lanes);
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
            unrolled<k>([&](auto j) __attribute__((always_inline)) {
                __builtin_prefetch(corner + i * problem.width * lanes + j * lanes);
            });
        }
    }

    static void input(const Winograd& problem, const WinogradExtent& extent, TileRange tiles,
                      IndexRange blocks, float* transformed) {
        const std::size_t row_floats = problem.width * lanes;
        const std::size_t stride = problem.transformed_stride(extent.tiles.size());
        alignas(64) float padded[input_rows * input_columns * lanes];
        for (std::size_t block = blocks.begin; block < blocks.end; ++block) {
            for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile) {
                const TilePlace place = place_of(problem, tile);
                const float* plane = problem.input + (place.image * problem.input_blocks() + block) *
                                                         problem.height * row_floats;
                float* target =
                    transformed + (block * extent.tiles.size() + tile - extent.tiles.begin) * lanes;
                if (block + 1 < blocks.end) prefetch(problem, place, plane + problem.height * row_floats);
                const float* corner = padded;
                std::size_t step = input_columns * lanes;
                // The input tile starts one pixel above and to the left of the output tile.
                const bool inside = place.row > 0 && place.column > 0 && place.row + m < problem.height &&
                                    place.column + k < problem.width;
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
        for (std::size_t i = 0; i < input_rows; ++i) {
            for (std::size_t j = 0; j < input_columns; ++j) {
                // Unsigned: −1 wraps to a value past the end.
                const std::size_t row = place.row + i - 1;
                const std::size_t column = place.column + j - 1;
                const bool inside = row < problem.height && column < problem.width;
                Vector::store(
                    padded + (i * input_columns + j) * lanes,
                    inside ? Vector::load(plane + (row * problem.width + column) * lanes) : Vector::zero());
            }
        }
    }

    /// Computes Aᵀ M A, adds the bias, and clamps to at least `least` (0 for ReLU): the pixels of one block
    /// of output channels.
    static inline __attribute__((always_inline)) void output_tile(const float* products, std::size_t stride,
                                                                  Register bias, Register least,
                                                                  Pixels& pixels) {
        std::array<std::array<Register, m>, input_columns> columns{};  // columns[j]: Aᵀ times column j
        unrolled<input_columns>([&](auto j) __attribute__((always_inline)) {
            std::array<Register, input_rows> column{};
            unrolled<input_rows>([&](auto i) __attribute__((always_inline)) {
                const float* place = products + (i * input_columns + j) * stride;
                column[i] = Vector::load(place);
                __builtin_prefetch(place + Winograd::group_blocks * lanes);  // the next tile's
            });
            transform_output_row<m, Vector>(column.data(), columns[j].data());
        });
        unrolled<m>([&](auto i) __attribute__((always_inline)) {
            std::array<Register, input_columns> row{};
            unrolled<input_columns>([&](auto j) __attribute__((always_inline)) { row[j] = columns[j][i]; });
            transform_output_row<k, Vector>(row.data(), pixels[i].data());
            unrolled<k>([&](auto j) __attribute__((always_inline)) {
                pixels[i][j] = Vector::maximum(Vector::add(pixels[i][j], bias), least);
            });
        });
    }

    /// Writes the pixels that are inside the map.
    static inline __attribute__((always_inline)) void store_tile(const Pixels& pixels, std::size_t rows,
                                                                 std::size_t columns, float* corner,
                                                                 std::size_t row_floats) {
        unrolled<m>([&](auto i) __attribute__((always_inline)) {
            if (i >= rows) return;
            unrolled<k>([&](auto j) __attribute__((always_inline)) {
                if (j < columns) Vector::store(corner + i * row_floats + j * lanes, pixels[i][j]);
            });
        });
    }

    /// The same with the bits of the output; `corner` is an index in the output. In a function of its own
    /// that gets a copy, so that the common case keeps its pixels in registers.
    static __attribute__((noinline)) void store_tile_with_bits(const Winograd& problem, Pixels pixels,
                                                               std::size_t rows, std::size_t columns,
                                                               std::size_t corner) {
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t j = 0; j < columns; ++j) {
                const std::size_t index = corner + (i * problem.width + j) * lanes;
                Vector::store(problem.output + index, with_bits<Vector>(problem.bits, index, pixels[i][j]));
            }
        }
    }

    /// The same after the max-pool. Both sides are even and tiles start at multiples of them, so no window
    /// spans two tiles.
    static inline __attribute__((always_inline)) void store_pooled_tile(const Pixels& pixels,
                                                                        std::size_t rows, std::size_t columns,
                                                                        float* corner,
                                                                        std::size_t row_floats) {
        unrolled<m / 2>([&](auto i) __attribute__((always_inline)) {
            if (2 * i + 1 >= rows) return;
            unrolled<k / 2>([&](auto j) __attribute__((always_inline)) {
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
                Pixels pixels{};
                output_tile(products + ((tile - extent.tiles.begin) * blocks + block) * lanes, stride, bias,
                            least, pixels);
                float* plane =
                    problem.output +
                    (place.image * problem.output_blocks() + first_block + block) * height * width * lanes;
                float* corner = plane + (place.row / shrink * width + place.column / shrink) * lanes;
                const std::size_t rows = std::min(m, problem.height - place.row);
                const std::size_t columns = std::min(k, problem.width - place.column);
                if (m % 2 == 0 && k % 2 == 0 && problem.pool) {
                    store_pooled_tile(pixels, rows, columns, corner, width * lanes);
                } else if (problem.bits.any()) {
                    store_tile_with_bits(problem, pixels, rows, columns,
                                         static_cast<std::size_t>(corner - problem.output));
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
        with_tile<winograd_tiles>(problem.tile, [&](auto m, auto k) {
            WinogradTransforms<m, k, Vector>::input(problem, extent, tiles, input_blocks, transformed);
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
        with_tile<winograd_tiles>(problem.tile, [&](auto m, auto k) {
            for (std::size_t group = groups.begin; group < groups.end; ++group) {
                WinogradTransforms<m, k, Vector>::output(problem, extent, tiles, group,
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
