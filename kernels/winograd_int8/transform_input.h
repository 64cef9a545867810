// Computes V = Bᵀ d B and quantises it, over a vector type (kernels/simd/vector.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/simd/unrolled.h"
#include "kernels/winograd_int8/input_rows.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

template <class Vector>
class InputTransformF2x2 : InputTransformBase<Vector, WinogradInt8Tile::f2x2> {
    using Base = InputTransformBase<Vector, WinogradInt8Tile::f2x2>;
    using Base::add;
    using Base::step;
    using Base::subtract;
    using typename Base::PixelWords;
    using typename Base::Rows;

  public:
    InputTransformF2x2(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                       std::uint8_t* transformed)
        : Base(problem, extent, tiles, transformed) {}

    /// Transforms a block of v.
    void block(std::size_t block) const {
        this->for_each_row(block, [&](const Rows& rows, std::size_t column, std::size_t count,
                                      std::uint8_t* target) { row_of_tiles(rows, column, count, target); });
    }

  private:
    using PixelColumn = typename Rows::Column;

    /// Row i of Bᵀ times a column of pixels, times 32, so that the upper half of a product is rounded as the
    /// definition requires.
    template <std::size_t i>
    static inline __attribute__((always_inline)) PixelWords row_of(const PixelColumn& d) {
        if constexpr (i == 0) return Vector::template weighted_pixels<32, -32>(d[0], d[2]);
        if constexpr (i == 1) return Vector::template weighted_pixels<32, 32>(d[1], d[2]);
        if constexpr (i == 2) return Vector::template weighted_pixels<-32, 32>(d[1], d[2]);
        if constexpr (i == 3) return Vector::template weighted_pixels<32, -32>(d[1], d[3]);
    }

    /// The last two columns of a tile, which are the first two of the next one.
    using Shared = std::array<std::array<PixelWords, 4>, 2>;

    inline __attribute__((always_inline)) void tile(const PixelColumn& third, const PixelColumn& fourth,
                                                    Shared& d, std::uint8_t* target) const {
        unrolled<4>([&](auto i) __attribute__((always_inline)) {
            const PixelWords d2 = row_of<i>(third);
            const PixelWords d3 = row_of<i>(fourth);
            this->template store<i * 4>(subtract(d[0][i], d2), target);
            this->template store<i * 4 + 1>(add(d[1][i], d2), target);
            this->template store<i * 4 + 2>(subtract(d2, d[1][i]), target);
            this->template store<i * 4 + 3>(subtract(d[1][i], d3), target);
            d[0][i] = d2;
            d[1][i] = d3;
        });
    }

    void row_of_tiles(const Rows& rows, std::size_t column, std::size_t count, std::uint8_t* target) const {
        Shared shared{};
        const PixelColumn first = rows.column_or_zeros(column - 1);  // unsigned: −1 wraps past the end
        const PixelColumn second = rows.column(column);
        unrolled<4>([&](auto i) __attribute__((always_inline)) {
            shared[0][i] = row_of<i>(first);
            shared[1][i] = row_of<i>(second);
        });
        for (; count > 1; --count, column += step, target += WinogradInt8::line_channels) {
            this->fetch_next_lines(target);
            tile(rows.column(column + 1), rows.column(column + 2), shared, target);
        }
        tile(rows.column_or_zeros(column + 1), rows.column_or_zeros(column + 2), shared, target);
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
