// How the input transforms read pixels, over a vector type (kernels/simd/vector.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/simd/unrolled.h"
#include "kernels/winograd_int8/tile_place.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// The `side` rows of pixels under a row of tiles, in as many blocks of channels as Vector::Pixels holds; a
/// row outside the map is a single zero pixel, repeated.
template <class Vector, std::size_t side>
class InputRows {
  public:
    using Column = std::array<typename Vector::Pixels, side>;

    InputRows(const WinogradInt8& problem, const TilePlace& place, std::size_t block)
        : width_(problem.width) {
        alignas(64) static constexpr std::array<std::uint8_t, int8_channel_block> zeros{};
        const std::size_t row_bytes = problem.width * int8_channel_block;
        const std::size_t plane_bytes = problem.height * row_bytes;
        const std::uint8_t* plane =
            problem.input + (place.image * problem.activation_blocks() + block) * plane_bytes;
        // Where the last block is missing, its lanes of v are never read: the pixels may be any.
        const bool has_next = block + 1 < problem.activation_blocks();
        for (std::size_t i = 0; i < side; ++i) {
            const std::size_t row = place.row + i - 1;  // unsigned: −1 wraps to a value past the end
            const bool inside = row < problem.height;
            first_[i] = inside ? plane + row * row_bytes : zeros.data();
            step_[i] = inside ? int8_channel_block : 0;
            next_block_[i] = inside && has_next ? plane_bytes : 0;
        }
    }

    inline __attribute__((always_inline)) Column column(std::size_t column) const {
        Column d{};
        unrolled<side>([&](auto i) __attribute__((always_inline)) {
            const std::uint8_t* pixel = first_[i] + column * step_[i];
            d[i] = Vector::load_pixels(pixel, pixel + next_block_[i]);
        });
        return d;
    }
    inline __attribute__((always_inline)) Column column_or_zeros(std::size_t at) const {
        return at < width_ ? column(at) : Column{};
    }

  private:
    std::size_t width_;
    std::array<const std::uint8_t*, side> first_;
    std::array<std::size_t, side> step_;
    std::array<std::size_t, side> next_block_;  ///< bytes to the same pixel of the next block of channels
};

/// What the input transforms of both tiles share: where v is, its multipliers, and arithmetic.
template <class Vector, WinogradInt8Tile tile>
class InputTransformBase {
  protected:
    static constexpr std::size_t positions = winograd_int8_positions(tile);
    static constexpr std::size_t step = winograd_int8_tile_side(tile);
    static constexpr std::size_t side = step + 2;
    using Words = typename Vector::Words;
    using PixelWords = typename Vector::PixelWords;
    using Rows = InputRows<Vector, side>;

    InputTransformBase(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                       std::uint8_t* transformed)
        : problem_(problem),
          tiles_(tiles),
          transformed_(transformed + (tiles.begin - extent.tiles.begin) * WinogradInt8::line_channels),
          stride_(problem.transformed_stride(extent.tiles.size())),
          block_stride_(extent.tiles.size() * WinogradInt8::line_channels) {
        for (std::size_t position = 0; position < positions; ++position) {
            multipliers_[position] = Vector::broadcast_word(problem.input_multiplier[position]);
        }
    }

    /// Calls row_of_tiles(rows, column of the first tile, number of tiles, target) for all of a block of v.
    template <class RowOfTiles>
    void for_each_row(std::size_t block, const RowOfTiles& row_of_tiles) const {
        constexpr std::size_t in_line = WinogradInt8::line_channels / int8_channel_block;
        std::uint8_t* target = transformed_ + block * block_stride_;
        for_each_row_of_tiles(problem_, tiles_, [&](const TilePlace& place, std::size_t count) {
            for (std::size_t part = 0; part < in_line; part += Vector::pixel_blocks) {
                const std::size_t activation_block = block * in_line + part;
                if (activation_block >= problem_.activation_blocks()) break;
                row_of_tiles(Rows(problem_, place, activation_block), place.column, count,
                             target + part * int8_channel_block);
            }
            target += count * WinogradInt8::line_channels;
        });
    }

    static inline __attribute__((always_inline)) PixelWords add(const PixelWords& a, const PixelWords& b) {
        return {Vector::add_words(a.lower, b.lower), Vector::add_words(a.upper, b.upper)};
    }
    static inline __attribute__((always_inline)) PixelWords subtract(const PixelWords& a,
                                                                     const PixelWords& b) {
        return {Vector::subtract_words(a.lower, b.lower), Vector::subtract_words(a.upper, b.upper)};
    }

    template <std::size_t position>
    inline __attribute__((always_inline)) void store(const PixelWords& v, std::uint8_t* target) const {
        const Words multiplier = multipliers_[position];
        Vector::template store_bytes<winograd_int8_zero_point(position)>(
            target + position * stride_, PixelWords{Vector::multiply_rounded(v.lower, multiplier),
                                                    Vector::multiply_rounded(v.upper, multiplier)});
    }

    /// Fetches the lines of v after those at `target`, in order to write them: stores to so many lines would
    /// wait for each of them.
    inline __attribute__((always_inline)) void fetch_next_lines(std::uint8_t* target) const {
        unrolled<positions>([&](auto position) __attribute__((always_inline)) {
            Vector::prefetch_for_write(target + WinogradInt8::line_channels + position * stride_);
        });
    }

  private:
    const WinogradInt8& problem_;
    TileRange tiles_;
    std::uint8_t* transformed_;  ///< of the first tile
    std::size_t stride_;
    std::size_t block_stride_;
    std::array<Words, positions> multipliers_{};
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
