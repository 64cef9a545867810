// The matrix products between the transforms, over a vector type (kernels/simd/vector.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/simd/unrolled.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

inline constexpr std::size_t cache_line = 64;

/// The operands and the result of the products of one position and group of output channels.
struct PositionOperands {
    const std::uint8_t* transformed;  ///< of the first tile
    std::size_t block_stride;         ///< bytes between input blocks
    std::size_t input_quads;
    const std::int8_t* start;    ///< initial values of the sums
    const std::int8_t* filters;  ///< u[quad][lane][4]
    std::int32_t* products;      ///< of the first tile
    /// Filters that are needed next. A register tile fetches this number of their lines with each of its
    /// input blocks. Otherwise the first tiles of a position would wait for memory, and the others leave it
    /// idle.
    const std::int8_t* next;
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

    /// The store of a line that is not in the L1 cache would wait for it.
    static inline __attribute__((always_inline)) void prefetch_products(const std::int32_t* products) {
        constexpr std::size_t in_line = cache_line / sizeof(*products);
        unrolled<rows>([&](auto row) __attribute__((always_inline)) {
            unrolled<(columns * Vector::width + in_line - 1) / in_line>([&](auto line) __attribute__((
                always_inline)) { Vector::prefetch_for_write(products + row * lanes + line * in_line); });
        });
    }

    static void compute(const PositionOperands& operands) {
        const std::uint8_t* transformed = operands.transformed;
        const std::int8_t* filters = operands.filters;
        const std::int8_t* next = operands.next;
        ProductTile tile(operands.start);
        prefetch_products(operands.products);
        std::size_t quads = operands.input_quads;
        for (; quads >= quads_of_block; quads -= quads_of_block, transformed += operands.block_stride) {
            for (std::size_t line = 0; line < operands.next_lines; ++line, next += cache_line) {
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

/// All products of a position and a group of `lanes` output channels.
template <class Vector, std::size_t lanes>
class Products {
  public:
    static void run(PositionOperands operands, std::size_t tile_count) {
        const std::size_t parts = blocks_of(tile_count, most_rows(operands.input_quads));
        // Whole input blocks fetch filters; a part of one is too short to matter.
        const std::size_t blocks = operands.input_quads * WinogradInt8::quad / WinogradInt8::line_channels;
        const std::size_t bytes = (1 + operands.input_quads) * lanes * WinogradInt8::quad;
        const std::size_t calls = std::max<std::size_t>(blocks * parts * (vectors / columns), 1);
        operands.next_lines = blocks_of(bytes / cache_line, calls);
        const std::size_t lines_of_tile = operands.next_lines * blocks;
        for (std::size_t lane = 0; lane < lanes; lane += columns * Vector::width) {
            run_columns(operands, tile_count, parts, lines_of_tile);
            operands.start += columns * Vector::width * WinogradInt8::quad;
            operands.filters += columns * Vector::width * WinogradInt8::quad;
            operands.products += columns * Vector::width;
            operands.next += parts * lines_of_tile * cache_line;
        }
    }

  private:
    static constexpr std::size_t vectors = lanes / Vector::width;
    static constexpr std::size_t columns = vectors < 2 ? vectors : 2;

    /// The tiles of a register tile. 14 × 2 sums, two filters and a quad take 31 registers; of 16, 6 × 2 sums
    /// take 15, or 4 × 2 if filters and quads take two registers each. Tall tiles read each filter less often
    /// from the cache, but so many stores at once delay the products of the next tile. So they pay where sums
    /// are long.
    static constexpr std::size_t tall = Vector::registers >= 32 ? 14 : Vector::quad_registers == 1 ? 6 : 4;
    static constexpr std::size_t short_sum_rows = 6;
    static constexpr std::size_t short_sum_quads = 256 / WinogradInt8::quad;
    static std::size_t most_rows(std::size_t input_quads) {
        return input_quads < short_sum_quads ? std::min(tall, short_sum_rows) : tall;
    }

    static constexpr auto by_rows = []<std::size_t... index>(std::index_sequence<index...>) {
        return std::array<void (*)(const PositionOperands&), tall>{
            ProductTile<Vector, lanes, index + 1, columns>::compute...};
    }
    (std::make_index_sequence<tall>{});

    /// Register tiles have nearly equal heights: a small one at the end would have too few sums to keep the
    /// multipliers busy.
    static void run_columns(PositionOperands operands, std::size_t tile_count, std::size_t parts,
                            std::size_t lines_of_tile) {
        const std::size_t fewest = tile_count / parts;
        const std::size_t with_one_more = tile_count % parts;
        for (std::size_t part = 0; part < parts; ++part) {
            const std::size_t rows = part < with_one_more ? fewest + 1 : fewest;
            by_rows[rows - 1](operands);
            operands.transformed += rows * WinogradInt8::line_channels;
            operands.products += rows * lanes;
            operands.next += lines_of_tile * cache_line;
        }
    }
};

/// Computes the positions' products of the groups, in the order in which the caller continues: groups of a
/// position, or positions of a group.
template <class Vector>
class MultiplyStep {
  public:
    MultiplyStep(const WinogradInt8& problem, const WinogradExtent& extent, const std::uint8_t* transformed,
                 std::int32_t* products)
        : problem_(problem), extent_(extent), transformed_(transformed), products_(products) {}

    void run(IndexRange positions, IndexRange groups) const {
        for (std::size_t group = groups.begin; group < groups.end; ++group) {
            for (std::size_t position = positions.begin; position < positions.end; ++position) {
                run(position, group, groups.size() > 1 && positions.size() == 1);
            }
        }
    }

  private:
    const std::int8_t* packed(std::size_t position, std::size_t group) const {
        return problem_.weights + problem_.packed_group(group) +
               position * problem_.packed_position_size(group);
    }

    /// The filters after those of a position and group; behind the last ones, these again.
    const std::int8_t* after(std::size_t position, std::size_t group, bool by_groups) const {
        if (by_groups && group + 1 < problem_.groups()) return packed(position, group + 1);
        if (position + 1 < problem_.positions()) return packed(position + 1, by_groups ? 0 : group);
        return packed(0, by_groups || group + 1 == problem_.groups() ? 0 : group + 1);
    }

    void run(std::size_t position, std::size_t group, bool by_groups) const {
        const std::int8_t* place = packed(position, group);
        const std::size_t lanes = problem_.group_lanes(group);
        const std::size_t tile_count = extent_.tiles.size();
        const PositionOperands operands = {
            .transformed = transformed_ + position * problem_.transformed_stride(tile_count),
            .block_stride = tile_count * WinogradInt8::line_channels,
            .input_quads = problem_.input_quads(),
            .start = place,
            .filters = place + lanes * sizeof(std::int32_t),
            .products = products_ + position * WinogradInt8::product_stride(extent_) +
                        WinogradInt8::product_offset(extent_, group),
            .next = after(position, group, by_groups),
            .next_lines = 0};
        constexpr std::size_t all = WinogradInt8::group_channels;
        if (lanes == all) {
            Products<Vector, all>::run(operands, tile_count);
        } else {
            Products<Vector, all / 2>::run(operands, tile_count);
        }
    }

    const WinogradInt8& problem_;
    const WinogradExtent& extent_;
    const std::uint8_t* transformed_;
    std::int32_t* products_;
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
