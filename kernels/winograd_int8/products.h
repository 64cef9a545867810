// The matrix products between the transforms, over a vector type (kernels/simd/vector.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/simd/unrolled.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// The operands and the result of the products of one position.
struct PositionOperands {
    const std::uint8_t* transformed;  ///< of the first tile
    std::size_t block_stride;         ///< bytes between input blocks
    std::size_t input_quads;
    const std::int8_t* start;    ///< initial values of the sums
    const std::int8_t* filters;  ///< u[quad][lane][4]
    std::int32_t* products;      ///< of the first tile
    /// Filters of the next position: cache lines to fetch for each input block.
    const std::int8_t* next_filters;
    std::size_t next_lines;
};

/// `rows` tiles × `columns` vectors of output channels of a group of `lanes`, over all input channels.
template <class Vector, std::size_t lanes, std::size_t rows, std::size_t columns>
class ProductTile {
  public:
    explicit inline __attribute__((always_inline)) ProductTile(const std::int8_t* start) {
        unrolled<columns>([&](auto column) __attribute__((always_inline)) {
            const Sum sum =
                Vector::load_sum(reinterpret_cast<const std::int32_t*>(start + column * vector_bytes));
            unrolled<rows>([&](auto row) __attribute__((always_inline)) { sums_[row][column] = sum; });
        });
    }

    inline __attribute__((always_inline)) void add(const std::uint8_t* transformed,
                                                   const std::int8_t* filters) {
        std::array<typename Vector::QuadWeights, columns> u{};
        unrolled<columns>([&](auto column) __attribute__((always_inline)) {
            u[column] = Vector::load_quad_weights(filters + column * vector_bytes);
        });
        unrolled<rows>([&](auto row) __attribute__((always_inline)) {
            const auto v = Vector::broadcast_quad(transformed + row * WinogradInt8::line_channels);
            unrolled<columns>([&](auto column) __attribute__((always_inline)) {
                sums_[row][column] = Vector::dot4(v, u[column], sums_[row][column]);
            });
        });
    }

    inline __attribute__((always_inline)) void store(std::int32_t* products) const {
        unrolled<rows>([&](auto row) __attribute__((always_inline)) {
            unrolled<columns>([&](auto column) __attribute__((always_inline)) {
                Vector::store_sum(products + row * lanes + column * Vector::width, sums_[row][column]);
            });
        });
    }

    static void compute(const PositionOperands& operands) {
        const std::uint8_t* transformed = operands.transformed;
        const std::int8_t* filters = operands.filters;
        const std::int8_t* next = operands.next_filters;
        ProductTile tile(operands.start);
        std::size_t quads = operands.input_quads;
        for (; quads >= quads_of_block; quads -= quads_of_block, transformed += operands.block_stride) {
            for (std::size_t line = 0; line < operands.next_lines; ++line, next += 64) {
                __builtin_prefetch(next);
            }
            for (std::size_t quad = 0; quad < quads_of_block; ++quad, filters += quad_bytes) {
                tile.add(transformed + quad * WinogradInt8::quad, filters);
            }
        }
        // The rest of the last block.
        for (; quads > 0; --quads, filters += quad_bytes, transformed += WinogradInt8::quad) {
            tile.add(transformed, filters);
        }
        tile.store(operands.products);
    }

  private:
    using Sum = typename Vector::Sum;
    static constexpr std::size_t quads_of_block = WinogradInt8::line_channels / WinogradInt8::quad;
    static constexpr std::size_t vector_bytes = Vector::width * WinogradInt8::quad;
    static constexpr std::size_t quad_bytes = lanes * WinogradInt8::quad;

    std::array<std::array<Sum, columns>, rows> sums_{};
};

template <class Vector, std::size_t lanes>
class Products {
  public:
    /// Computes all positions of one group of output channels.
    static void run(const WinogradInt8& problem, std::size_t tile_count, const std::uint8_t* transformed,
                    const std::int8_t* packed, std::int32_t* products) {
        constexpr std::size_t start_bytes = lanes * sizeof(std::int32_t);
        const std::size_t position_bytes = (1 + problem.input_quads()) * start_bytes;
        const std::size_t most_rows = problem.input_quads() >= 64 ? product_rows<Vector> : 6;
        const std::size_t parts = (tile_count + most_rows - 1) / most_rows;
        const std::size_t lines = (position_bytes / 64 + parts*problem.input_blocks() - 1) / (parts*problem.input_blocks());
        for (std::size_t position = 0; position < winograd_int8_positions; ++position) {
            const std::int8_t* place = packed + position * position_bytes;
            PositionOperands operands = {
                transformed + position * problem.transformed_stride(tile_count),
                tile_count * WinogradInt8::line_channels,
                problem.input_quads(),
                place,
                place + start_bytes,
                products + position * WinogradInt8::product_stride(tile_count),
                place + position_bytes,
                lines};
            for (std::size_t lane = 0; lane < lanes; lane += columns * Vector::width) {
                run_columns(operands, tile_count, lane, parts, problem.input_blocks());
                operands.next_lines = 0;
            }
        }
    }

  private:
    static constexpr std::size_t vectors = lanes / Vector::width;
    static constexpr std::size_t columns = vectors < 2 ? vectors : 2;

    static constexpr auto by_rows = []<std::size_t... index>(std::index_sequence<index...>) {
        return std::array<void (*)(const PositionOperands&), product_rows<Vector>>{
            ProductTile<Vector, lanes, index + 1, columns>::compute...};
    }
    (std::make_index_sequence<product_rows<Vector>>{});

    /// Register tiles have nearly equal heights: a small one at the end would have too few sums to keep the
    /// multipliers busy.
    static void run_columns(PositionOperands operands, std::size_t tile_count, std::size_t lane, std::size_t parts, std::size_t blocks) {
        operands.start += lane * WinogradInt8::quad;
        operands.filters += lane * WinogradInt8::quad;
        operands.products += lane;
        const std::size_t fewest = tile_count / parts;
        const std::size_t with_one_more = tile_count % parts;
        for (std::size_t part = 0; part < parts; ++part) {
            const std::size_t rows = part < with_one_more ? fewest + 1 : fewest;
            by_rows[rows - 1](operands);
            operands.transformed += rows * WinogradInt8::line_channels;
            operands.products += rows * lanes;
            operands.next_filters += operands.next_lines * 64 * blocks;
        }
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
