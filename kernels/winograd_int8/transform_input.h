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
          transformed_(transformed + (tiles.begin - extent.tiles.begin) * WinogradInt8::line_channels),
          stride_(problem.transformed_stride(extent.tiles.size())),
          block_stride_(extent.tiles.size() * WinogradInt8::line_channels) {
        for (std::size_t position = 0; position < winograd_int8_positions; ++position) {
            multipliers_[position] = Vector::broadcast_word(problem.input_multiplier[position]);
        }
    }

    /// Transforms a block of v.
    void block(std::size_t block) const {
        constexpr std::size_t in_line = WinogradInt8::line_channels / int8_channel_block;
        std::uint8_t* target = transformed_ + block * block_stride_;
        for_each_row_of_tiles(problem_, tiles_, [&](const TilePlace& place, std::size_t count) {
            for (std::size_t part = 0; part < in_line; part += Vector::pixel_blocks) {
                const std::size_t activation_block = block * in_line + part;
                if (activation_block >= problem_.activation_blocks()) break;
                row_of_tiles(rows_at(place, activation_block), place.column, count,
                             target + part * int8_channel_block);
            }
            target += count * WinogradInt8::line_channels;
        });
    }

  private:
    using Words = typename Vector::Words;
    using Pixels = typename Vector::Pixels;
    using PixelWords = typename Vector::PixelWords;

    /// The four rows of pixels under a row of tiles; a row outside the map is a single zero pixel, repeated.
    struct Rows {
        std::array<const std::uint8_t*, 4> first;
        std::array<std::size_t, 4> step;
        std::array<std::size_t, 4> next_block;  ///< bytes to the same pixel of the next block of channels
    };

    Rows rows_at(const TilePlace& place, std::size_t block) const {
        alignas(64) static constexpr std::array<std::uint8_t, int8_channel_block> zeros{};
        const std::size_t row_bytes = problem_.width * int8_channel_block;
        const std::size_t plane_bytes = problem_.height * row_bytes;
        const std::uint8_t* plane =
            problem_.input + (place.image * problem_.activation_blocks() + block) * plane_bytes;
        // Where the last block is missing, its lanes of v are never read: the pixels may be any.
        const bool has_next = block + 1 < problem_.activation_blocks();
        Rows rows{};
        for (std::size_t i = 0; i < 4; ++i) {
            const std::size_t row = place.row + i - 1;  // unsigned: −1 wraps to a value past the end
            const bool inside = row < problem_.height;
            rows.first[i] = inside ? plane + row * row_bytes : zeros.data();
            rows.step[i] = inside ? int8_channel_block : 0;
            rows.next_block[i] = inside && has_next ? plane_bytes : 0;
        }
        return rows;
    }

    static inline __attribute__((always_inline)) PixelWords add(const PixelWords& a, const PixelWords& b) {
        return {Vector::add_words(a.lower, b.lower), Vector::add_words(a.upper, b.upper)};
    }
    static inline __attribute__((always_inline)) PixelWords subtract(const PixelWords& a,
                                                                     const PixelWords& b) {
        return {Vector::subtract_words(a.lower, b.lower), Vector::subtract_words(a.upper, b.upper)};
    }

    /// A column of pixels.
    using PixelColumn = std::array<Pixels, 4>;
    static inline __attribute__((always_inline)) PixelColumn pixels_at(const Rows& rows, std::size_t column) {
        PixelColumn d{};
        unrolled<4>([&](auto i) __attribute__((always_inline)) {
            const std::uint8_t* pixel = rows.first[i] + column * rows.step[i];
            d[i] = Vector::load_pixels(pixel, pixel + rows.next_block[i]);
        });
        return d;
    }

    /// Row i of Bᵀ times a column of pixels, times 32, so that the upper half of a product is rounded as the
    /// definition requires.
    template <std::size_t i>
    static inline __attribute__((always_inline)) PixelWords row_of(const PixelColumn& d) {
        if constexpr (i == 0) return Vector::template weighted_pixels<32, -32>(d[0], d[2]);
        if constexpr (i == 1) return Vector::template weighted_pixels<32, 32>(d[1], d[2]);
        if constexpr (i == 2) return Vector::template weighted_pixels<-32, 32>(d[1], d[2]);
        if constexpr (i == 3) return Vector::template weighted_pixels<32, -32>(d[1], d[3]);
    }

    template <std::size_t position>
    inline __attribute__((always_inline)) void store(const PixelWords& v, std::uint8_t* target) const {
        const Words multiplier = multipliers_[position];
        Vector::template store_bytes<winograd_int8_zero_point(position)>(
            target + position * stride_, PixelWords{Vector::multiply_rounded(v.lower, multiplier),
                                                    Vector::multiply_rounded(v.upper, multiplier)});
    }

    /// The last two columns of a tile, which are the first two of the next one.
    using Shared = std::array<std::array<PixelWords, 4>, 2>;

    inline __attribute__((always_inline)) void tile(const PixelColumn& third, const PixelColumn& fourth,
                                                    Shared& d, std::uint8_t* target) const {
        unrolled<4>([&](auto i) __attribute__((always_inline)) {
            const PixelWords d2 = row_of<i>(third);
            const PixelWords d3 = row_of<i>(fourth);
            store<i * 4>(subtract(d[0][i], d2), target);
            store<i * 4 + 1>(add(d[1][i], d2), target);
            store<i * 4 + 2>(subtract(d2, d[1][i]), target);
            store<i * 4 + 3>(subtract(d[1][i], d3), target);
            d[0][i] = d2;
            d[1][i] = d3;
        });
    }

    void row_of_tiles(const Rows& rows, std::size_t column, std::size_t count, std::uint8_t* target) const {
        const auto inside_or_zeros = [&](std::size_t at) __attribute__((always_inline)) {
            return at < problem_.width ? pixels_at(rows, at) : PixelColumn{};
        };
        Shared shared{};
        const PixelColumn first = inside_or_zeros(column - 1);  // unsigned: −1 wraps to a value past the end
        const PixelColumn second = pixels_at(rows, column);
        unrolled<4>([&](auto i) __attribute__((always_inline)) {
            shared[0][i] = row_of<i>(first);
            shared[1][i] = row_of<i>(second);
        });
        for (; count > 1; --count, column += 2, target += WinogradInt8::line_channels) {
#ifdef PREFETCHW
            unrolled<16>([&](auto p) __attribute__((always_inline)) {
                asm volatile(
                    "prefetchw %0" ::"m"(*(target + PREFETCHW * WinogradInt8::line_channels + p * stride_)));
            });
#endif
            tile(pixels_at(rows, column + 1), pixels_at(rows, column + 2), shared, target);
        }
        tile(inside_or_zeros(column + 1), inside_or_zeros(column + 2), shared, target);
    }

    const WinogradInt8& problem_;
    TileRange tiles_;
    std::uint8_t* transformed_;  ///< of the first tile
    std::size_t stride_;
    std::size_t block_stride_;
    std::array<Words, winograd_int8_positions> multipliers_{};
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
