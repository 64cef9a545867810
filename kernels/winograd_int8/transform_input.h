// Computes V = Bᵀ d B and quantises it, over a vector type (kernels/simd/vector.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/simd/unrolled.h"
#include "kernels/winograd_int8/tile_place.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

template <class Vector>
class InputTransform {
  public:
    InputTransform(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                   std::uint8_t* transformed)
        : problem_(problem),
          tiles_(tiles),
          transformed_(transformed + (tiles.begin - extent.tiles.begin) * int8_channel_block),
          stride_(problem.transformed_stride(extent.tiles.size())),
          block_stride_(extent.tiles.size() * int8_channel_block) {
        for (std::size_t position = 0; position < positions; ++position) {
            multipliers_[position] = Vector::broadcast_word(problem.input_multiplier[position]);
        }
    }

    void block(std::size_t block) const {
        std::uint8_t* target = transformed_ + block * block_stride_;
        for (std::size_t tile = tiles_.begin; tile < tiles_.end;) {
            const TilePlace place(problem_, tile);
            const std::size_t count = std::min(tiles_.end - tile, problem_.tile_columns() - place.column / 2);
            for (std::size_t lane = 0; lane < int8_channel_block; lane += Vector::words) {
                row_of_tiles(rows_at(place, block, lane), place.column, count, target + lane);
            }
            target += count * int8_channel_block;
            tile += count;
        }
    }

  private:
    static constexpr std::size_t positions = winograd_int8_positions(WinogradInt8Tile::f2x2);
    using Words = typename Vector::Words;
    using Column = std::array<Words, 4>;

    /// The four rows of pixels under a row of tiles; a row outside the map is a single zero pixel, repeated.
    struct Rows {
        std::array<const std::uint8_t*, 4> first;
        std::array<std::size_t, 4> step;
    };

    Rows rows_at(const TilePlace& place, std::size_t block, std::size_t lane) const {
        alignas(64) static constexpr std::array<std::uint8_t, int8_channel_block> zeros{};
        const std::size_t row_bytes = problem_.width * int8_channel_block;
        const std::uint8_t* plane =
            problem_.input + (place.image * problem_.input_blocks() + block) * problem_.height * row_bytes;
        Rows rows{};
        for (std::size_t i = 0; i < 4; ++i) {
            const std::size_t row = place.row + i - 1;  // unsigned: −1 wraps to a value past the end
            const bool inside = row < problem_.height;
            rows.first[i] = (inside ? plane + row * row_bytes : zeros.data()) + lane;
            rows.step[i] = inside ? int8_channel_block : 0;
        }
        return rows;
    }

    /// One-dimensional Bᵀ d.
    static inline __attribute__((always_inline)) Column transform(const Column& d) {
        return {Vector::subtract_words(d[0], d[2]), Vector::add_words(d[1], d[2]),
                Vector::subtract_words(d[2], d[1]), Vector::subtract_words(d[1], d[3])};
    }

    /// Bᵀ times a column of pixels. Pixels are shifted left by 5, so that the upper half of a product is
    /// rounded as the definition requires.
    inline __attribute__((always_inline)) Column column_at(const Rows& rows, std::size_t column) const {
        if (column >= problem_.width) return {};
        Column pixels{};
        unrolled<4>([&](auto i) __attribute__((always_inline)) {
            pixels[i] = Vector::load_pixels_shifted_by_5(rows.first[i] + column * rows.step[i]);
        });
        return transform(pixels);
    }

    /// Neighbouring tiles share two columns of pixels.
    void row_of_tiles(const Rows& rows, std::size_t column, std::size_t count, std::uint8_t* target) const {
        std::array<Column, 4> columns{column_at(rows, column - 1), column_at(rows, column)};
        for (std::size_t tile = 0; tile < count; ++tile, target += int8_channel_block) {
            column += 2;
            columns[2] = column_at(rows, column - 1);
            columns[3] = column_at(rows, column);
            unrolled<4>([&](auto i) __attribute__((always_inline)) {
                const Column row = transform({columns[0][i], columns[1][i], columns[2][i], columns[3][i]});
                unrolled<4>([&](auto j) __attribute__((always_inline)) {
                    constexpr std::size_t position = i * 4 + j;
                    const Words scaled = Vector::multiply_rounded(row[j], multipliers_[position]);
                    Vector::template store_bytes<winograd_int8_zero_point(position)>(
                        target + position * stride_, scaled);
                });
            });
            columns[0] = columns[2];
            columns[1] = columns[3];
        }
    }

    const WinogradInt8& problem_;
    TileRange tiles_;
    std::uint8_t* transformed_;  ///< of the first tile
    std::size_t stride_;
    std::size_t block_stride_;
    std::array<Words, positions> multipliers_{};
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
