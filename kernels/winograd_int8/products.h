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
};

/// The number of tiles in a register tile, by two vectors of channels. 32 registers would hold 14 × 2, but so
/// many stores at once delay the products of the next tile (two cycles per store on Zen 4), while those of 6
/// × 2 overlap with them. With 16 registers, 6 × 2 sums, two filters and a quad take 15, or 4 × 2 if filters
/// and quads take two registers each.
template <class Vector>
constexpr std::size_t product_rows = Vector::registers >= 32 || Vector::quad_registers == 1 ? 6 : 4;

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
        // Filters come from memory, and the hardware's own prefetcher stops at the end of each page.
        constexpr std::size_t ahead = 40;  // quads
        unrolled<(columns * vector_bytes + 63) / 64>([&](auto line) __attribute__((always_inline)) {
            __builtin_prefetch(filters + ahead * quad_bytes + line * 64);
        });
        std::array<typename Vector::QuadWeights, columns> u{};
        unrolled<columns>([&](auto column) __attribute__((always_inline)) {
            u[column] = Vector::load_quad_weights(filters + column * vector_bytes);
        });
        unrolled<rows>([&](auto row) __attribute__((always_inline)) {
            const auto v = Vector::broadcast_quad(transformed + row * int8_channel_block);
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
        ProductTile tile(operands.start);
        std::size_t quads = operands.input_quads;
        for (; quads >= quads_of_block; quads -= quads_of_block, transformed += operands.block_stride) {
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
    static constexpr std::size_t quads_of_block = int8_channel_block / WinogradInt8::quad;
    static constexpr std::size_t vector_bytes = Vector::width * WinogradInt8::quad;
    static constexpr std::size_t quad_bytes = lanes * WinogradInt8::quad;

    std::array<std::array<Sum, columns>, rows> sums_{};
};

template <class Vector, std::size_t lanes>
class Products {
  public:
    /// Computes positions of one group of output channels. `packed` and `products` are the group's.
    static void run(const WinogradInt8& problem, const WinogradExtent& extent, IndexRange positions,
                    const std::uint8_t* transformed, const std::int8_t* packed, std::int32_t* products) {
        const std::size_t tile_count = extent.tiles.size();
        constexpr std::size_t start_bytes = lanes * sizeof(std::int32_t);
        const std::size_t position_bytes = (1 + problem.input_quads()) * start_bytes;
        for (std::size_t position = positions.begin; position < positions.end; ++position) {
            const std::int8_t* place = packed + position * position_bytes;
            const PositionOperands operands = {
                transformed + position * problem.transformed_stride(tile_count),
                tile_count * int8_channel_block,
                problem.input_quads(),
                place,
                place + start_bytes,
                products + position * WinogradInt8::product_stride(extent)};
            for (std::size_t lane = 0; lane < lanes; lane += columns * Vector::width) {
                run_columns(operands, tile_count, lane);
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
    static void run_columns(PositionOperands operands, std::size_t tile_count, std::size_t lane) {
        operands.start += lane * WinogradInt8::quad;
        operands.filters += lane * WinogradInt8::quad;
        operands.products += lane;
        const std::size_t parts = (tile_count + product_rows<Vector> - 1) / product_rows<Vector>;
        const std::size_t fewest = tile_count / parts;
        const std::size_t with_one_more = tile_count % parts;
        for (std::size_t part = 0; part < parts; ++part) {
            const std::size_t rows = part < with_one_more ? fewest + 1 : fewest;
            by_rows[rows - 1](operands);
            operands.transformed += rows * int8_channel_block;
            operands.products += rows * lanes;
        }
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
