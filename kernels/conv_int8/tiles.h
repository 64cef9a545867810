// The kernel, over a vector type (kernels/simd/vector.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/common/parallel.h"
#include "kernels/conv_int8/conv_int8.h"
#include "kernels/simd/unrolled.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// The operands of a register tile.
struct TileOperands {
    const std::uint8_t* input;  ///< in the first input block, the tile's first pixel in the row for
                                ///< `filter_row_begin` falls on
    std::size_t row_stride;     ///< bytes between rows of the input
    std::size_t block_stride;   ///< bytes between blocks
    std::size_t last_block;
    std::size_t last_block_quads;
    bool left_edge;                ///< the tile begins at the map's left edge
    bool right_edge;               ///< the tile ends at the map's right edge
    std::size_t filter_row_begin;  ///< the filter rows that are inside the map
    std::size_t filter_row_end;
    const std::int8_t* weights;  ///< of the group, from the tile's first channel on
};

template <class Vector>
struct ConvInt8Kernel {
    static constexpr std::size_t lanes = Vector::width;
    /// A register tile is at most two vectors of channels by an even number of pixels. Sums, two vectors of
    /// filters and a pixel fill 31 of 32 registers or, if filters and pixels take two registers each, 14 of
    /// 16.
    static constexpr std::size_t most_vectors = 2;
    static constexpr std::size_t most_pixels =
        (Vector::registers - (most_vectors + 1) * Vector::quad_registers) / most_vectors / 2 * 2;
    static constexpr std::size_t block = int8_channel_block;
    static constexpr std::size_t sixteen = block / 2;  ///< channels that are finished at a time
    static constexpr std::size_t quad = ConvInt8::quad;
    static constexpr std::size_t filter_side = 3;
    /// The padding left and right of the map.
    static constexpr std::uint8_t zero_pixel[block] = {};
    static_assert(most_pixels <= ConvInt8::widest_tile && most_pixels > 0);

    /// Registers of channels in a group's tile.
    template <std::size_t group_channels>
    static constexpr std::size_t tile_vectors =
        group_channels / lanes < most_vectors ? group_channels / lanes : most_vectors;

    /// Adds the products of one filter row and one block of input channels.
    template <std::size_t pixels, std::size_t group_channels, class Sums>
    static inline __attribute__((always_inline)) void add_filter_row(const TileOperands& operands,
                                                                     const std::uint8_t* row,
                                                                     const std::int8_t* weights,
                                                                     std::size_t quads, Sums& sums) {
        constexpr std::size_t vectors = tile_vectors<group_channels>;
        // How far ahead of its use a weight is fetched: weights come from the second-level cache or from
        // memory,
        // and the hardware's prefetcher stops at the end of each page.
        constexpr std::size_t ahead = 16 * quad * group_channels;
        for (std::size_t s = 0; s < filter_side; ++s) {
            // The tile's pixels are contiguous, except that one may be outside the map.
            const std::uint8_t* middle = row + s * block - block;
            const std::uint8_t* first = s == 0 && operands.left_edge ? zero_pixel : middle;
            const std::uint8_t* last =
                s + 1 == filter_side && operands.right_edge ? zero_pixel : middle + (pixels - 1) * block;
            if (pixels == 1 && s + 1 == filter_side) first = last;
#pragma GCC unroll 2
            for (std::size_t offset = 0; offset < quads * quad; offset += quad) {
                typename Vector::QuadWeights filters[vectors];
                unrolled<vectors>([&](auto vector) __attribute__((always_inline)) {
                    __builtin_prefetch(weights + ahead + vector * lanes * quad);
                    filters[vector] = Vector::load_quad_weights(weights + vector * lanes * quad);
                });
                unrolled<pixels>([&](auto pixel) __attribute__((always_inline)) {
                    const std::uint8_t* from = pixel == 0            ? first
                                               : pixel == pixels - 1 ? last
                                                                     : middle + pixel * block;
                    const auto value = Vector::broadcast_quad(from + offset);
                    unrolled<vectors>([&](auto vector) __attribute__((always_inline)) {
                        auto& sum = sums[pixel][vector];
                        sum = Vector::dot4(value, filters[vector], sum);
                    });
                });
                weights += quad * group_channels;
            }
        }
    }

    /// Computes the sums of a register tile: `sums` has [pixel][channel of the group].
    template <std::size_t pixels, std::size_t group_channels>
    static void multiply_tile(const TileOperands& operands, std::int32_t* sums_out) {
        constexpr std::size_t vectors = tile_vectors<group_channels>;
        typename Vector::Sum sums[pixels][vectors];
        unrolled<pixels * vectors>([&](auto k) __attribute__((always_inline)) {
            sums[k / vectors][k % vectors] = Vector::zero_sum();
        });
        const std::uint8_t* input = operands.input;
        const std::int8_t* weights = operands.weights;
        for (std::size_t b = 0; b <= operands.last_block; ++b, input += operands.block_stride) {
            const std::size_t quads = b == operands.last_block ? operands.last_block_quads : block / quad;
            const std::size_t row_weights = filter_side * quads * quad * group_channels;
            const std::uint8_t* row = input;
            for (std::size_t r = operands.filter_row_begin; r < operands.filter_row_end; ++r) {
                add_filter_row<pixels, group_channels>(operands, row, weights + r * row_weights, quads, sums);
                row += operands.row_stride;
            }
            weights += filter_side * row_weights;
        }
        unrolled<pixels * vectors>([&](auto k) __attribute__((always_inline)) {
            Vector::store_sum(sums_out + k / vectors * group_channels + k % vectors * lanes,
                              sums[k / vectors][k % vectors]);
        });
    }

    using Multiply = void (*)(const TileOperands&, std::int32_t*);
    template <std::size_t group_channels>
    static constexpr auto multiply_by_pixels = []<std::size_t... index>(std::index_sequence<index...>) {
        return std::array<Multiply, most_pixels>{multiply_tile<index + 1, group_channels>...};
    }
    (std::make_index_sequence<most_pixels>{});

    /// A piece of an output row: its first `width` pixels from `column` on.
    struct Piece {
        std::size_t image;
        std::size_t group;
        std::size_t row;
        std::size_t column;
        std::size_t width;
    };

    /// Computes the sums of `width` pixels of row y before the pool, for all channels of the group.
    template <std::size_t group_channels>
    static void multiply_row(const ConvInt8& problem, std::size_t image, std::size_t group, std::size_t y,
                             std::size_t column, std::size_t width, std::int32_t* sums) {
        const std::size_t row_stride = problem.width * block;
        const std::size_t filter_row_begin = y == 0 ? 1 : 0;
        const std::size_t last_block = problem.input_blocks() - 1;
        TileOperands operands = {
            .input = problem.input + image * problem.input_blocks() * problem.height * row_stride +
                     (y + filter_row_begin - 1) * row_stride + column * block,
            .row_stride = row_stride,
            .block_stride = problem.height * row_stride,
            .last_block = last_block,
            .last_block_quads = problem.quads_of_block(last_block),
            .left_edge = column == 0,
            .right_edge = column + width == problem.width,
            .filter_row_begin = filter_row_begin,
            .filter_row_end = y + 1 == problem.height ? filter_side - 1 : filter_side,
            .weights = problem.weights + problem.packed_group(group),
        };
        constexpr std::size_t tile_channels = tile_vectors<group_channels> * lanes;
        for (std::size_t channel = 0; channel < group_channels; channel += tile_channels) {
            multiply_by_pixels<group_channels>[width - 1](operands, sums + channel);
            operands.weights += tile_channels * quad;
        }
    }

    /// value(pixel) returns the output for sixteen channels, starting at `channel`.
    template <bool whole_block, class Value>
    static void write_quantized(const ConvInt8& problem, const Piece& piece, std::size_t channel,
                                const Value& value) {
        std::uint8_t* to =
            problem.output.quantized + blocked_index(problem.output_channels, problem.output_height(),
                                                     problem.output_width(), block, piece.image, channel,
                                                     piece.row, piece.column);
        for (std::size_t pixel = 0; pixel < piece.width; ++pixel, to += block) {
            Vector::store_quantized_sixteen(to, value(pixel));
            if constexpr (!whole_block) std::memset(to + sixteen, 0, sixteen);
        }
    }

    template <class Value>
    static void write_floats(const ConvInt8& problem, const Piece& piece, std::size_t channel,
                             const Value& value) {
        constexpr std::size_t half = sixteen / 2;
        const std::size_t float_block = problem.output.float_block;
        const auto at = [&](std::size_t first_channel) {
            return problem.output.floats + blocked_index(problem.output_channels, problem.output_height(),
                                                         problem.output_width(), float_block, piece.image,
                                                         first_channel, piece.row, piece.column);
        };
        float* lower = at(channel);
        const bool has_upper = channel + half < blocks_of(problem.output_channels, float_block) * float_block;
        float* upper = has_upper ? at(channel + half) : nullptr;
        for (std::size_t pixel = 0; pixel < piece.width; ++pixel) {
            const auto y = value(pixel);
            Vector::store_lower_eight(lower + pixel * float_block, y);
            if (has_upper) Vector::store_upper_eight(upper + pixel * float_block, y);
        }
    }

    /// Pools, computes y, and writes the output of a piece.
    template <std::size_t group_channels, bool pool>
    static void finish(const ConvInt8& problem, const Piece& piece, const std::int32_t* sums) {
        for (std::size_t part = 0; part < group_channels; part += sixteen) {
            const std::size_t channel = piece.group * block + part;
            const auto multiplier = Vector::load_sixteen(problem.multiplier + channel);
            const auto bias = Vector::load_sixteen(problem.bias + channel);
            using Integers = typename Vector::SixteenIntegers;
            const auto larger = [](Integers a, Integers b) __attribute__((always_inline)) {
                return Vector::maximum_sixteen_integers(a, b);
            };
            // y, rounded after the product and after the sum.
            const auto scale = [&](Integers sums_of_pixel) __attribute__((always_inline)) {
                const auto product =
                    Vector::multiply_sixteen(Vector::to_floats_sixteen(sums_of_pixel), multiplier);
                return Vector::add_sixteen(product, bias);
            };
            const auto load = [&](std::size_t pixel) __attribute__((always_inline)) {
                return Vector::load_sixteen_integers(sums + pixel * group_channels + part);
            };
            const auto value = [&](std::size_t pixel) __attribute__((always_inline)) {
                if constexpr (!pool) return scale(load(pixel));
                // Multipliers are positive and rounding is monotonic, so the largest sum gives the largest y.
                const std::size_t lower = 2 * (piece.width + pixel);
                return scale(larger(larger(load(2 * pixel), load(2 * pixel + 1)),
                                    larger(load(lower), load(lower + 1))));
            };
            const auto rectified = [&](std::size_t pixel) __attribute__((always_inline)) {
                return Vector::not_below_zero_sixteen(value(pixel));
            };
            if (problem.output.quantized != nullptr) {
                write_quantized<group_channels == block>(problem, piece, channel, rectified);
            } else if (problem.output.relu) {
                write_floats(problem, piece, channel, rectified);
            } else {
                write_floats(problem, piece, channel, value);
            }
        }
    }

    template <std::size_t group_channels, bool pool>
    static void run_group(const ConvInt8& problem, std::size_t group, Range rows, std::int32_t* sums) {
        constexpr std::size_t side = pool ? 2 : 1;  // of the pixels that form an output pixel
        constexpr std::size_t widest = most_pixels / side;
        // Pieces have nearly equal widths: 40 pixels as 14 13 13 cost less than as 14 14 12 of the same
        // registers.
        const std::size_t pieces = (problem.output_width() + widest - 1) / widest;
        for (std::size_t row = rows.begin; row < rows.end; ++row) {
            for (std::size_t index = 0; index < pieces; ++index) {
                const Range columns = part_of(problem.output_width(), pieces, index);
                const Piece piece = {.image = row / problem.output_height(),
                                     .group = group,
                                     .row = row % problem.output_height(),
                                     .column = columns.begin,
                                     .width = columns.end - columns.begin};
                for (std::size_t k = 0; k < side; ++k) {
                    multiply_row<group_channels>(problem, piece.image, group, side * piece.row + k,
                                                 side * piece.column, side * piece.width,
                                                 sums + k * side * piece.width * group_channels);
                }
                finish<group_channels, pool>(problem, piece, sums);
            }
        }
    }

    static void run(const ConvInt8& problem, std::size_t group, std::size_t row_begin, std::size_t row_end,
                    std::int32_t* sums) {
        const Range rows = {row_begin, row_end};
        const bool whole_block = problem.group_channels(group) == block;
        if (whole_block && problem.pool) return run_group<block, true>(problem, group, rows, sums);
        if (whole_block) return run_group<block, false>(problem, group, rows, sums);
        if (problem.pool) return run_group<sixteen, true>(problem, group, rows, sums);
        return run_group<sixteen, false>(problem, group, rows, sums);
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
