// Computes and quantises V of F(4×4, 3×3) on complex points, over a vector type (kernels/simd/vector.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/simd/unrolled.h"
#include "kernels/winograd_int8/complex_points.h"
#include "kernels/winograd_int8/input_rows.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

template <class Vector>
class InputTransformF4x4 : InputTransformBase<Vector, WinogradInt8Tile::f4x4> {
    using Base = InputTransformBase<Vector, WinogradInt8Tile::f4x4>;
    using Base::add;
    using Base::side;
    using Base::step;
    using Base::subtract;
    using typename Base::PixelWords;
    using typename Base::Rows;

  public:
    InputTransformF4x4(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                       std::uint8_t* transformed)
        : Base(problem, extent, tiles, transformed) {}

    /// Transforms a block of v.
    void block(std::size_t block) const {
        this->for_each_row(
            block, [&](const Rows& rows, std::size_t column, std::size_t count, std::uint8_t* target) {
                while (count > 0) {
                    const std::size_t together = std::min(count, most_tiles);
                    row_of_tiles(rows, column, together, target);
                    column += together * step;
                    target += together * WinogradInt8::line_channels;
                    count -= together;
                }
            });
    }

  private:
    /// Tiles that are transformed together: so many that few columns of pixels, which neighbouring tiles
    /// share, are transformed twice, and so few that the columns stay in the L1 cache.
    static constexpr std::size_t most_tiles = 4;
    static constexpr std::size_t most_columns = most_tiles * step + 2;

    /// One dimension of the transform, in the order B0, B1, B−1, B∞, e, f.
    using Transformed = std::array<PixelWords, side>;
    static constexpr std::size_t e = 4;
    static constexpr std::size_t f = 5;

    /// Of a column of pixels.
    static inline __attribute__((always_inline)) Transformed first_transform(const typename Rows::Column& d) {
        const PixelWords even = Vector::template weighted_pixels<1, 1>(d[2], d[4]);
        const PixelWords odd = Vector::template weighted_pixels<1, 1>(d[1], d[3]);
        return {Vector::template weighted_pixels<1, -1>(d[0], d[4]),
                add(even, odd),
                subtract(even, odd),
                Vector::template weighted_pixels<1, -1>(d[5], d[1]),
                Vector::template weighted_pixels<-1, 1>(d[2], d[4]),
                Vector::template weighted_pixels<-1, 1>(d[1], d[3])};
    }

    static inline __attribute__((always_inline)) Transformed second_transform(const Transformed& d) {
        const PixelWords even = add(d[2], d[4]);
        const PixelWords odd = add(d[1], d[3]);
        return {subtract(d[0], d[4]), add(even, odd),       subtract(even, odd),
                subtract(d[5], d[1]), subtract(d[4], d[2]), subtract(d[3], d[1])};
    }

    void row_of_tiles(const Rows& rows, std::size_t column, std::size_t count, std::uint8_t* target) const {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): zeros would cost as much as a column
        std::array<Transformed, most_columns> columns;
        for (std::size_t i = 0; i < count * step + 2; ++i) {
            columns[i] = first_transform(rows.column_or_zeros(column + i - 1));
        }
        for (std::size_t tile = 0; tile < count; ++tile, target += WinogradInt8::line_channels) {
            const Transformed* first = &columns[tile * step];
            if (tile + 1 < count) this->fetch_next_lines(target);
            unrolled<complex_points::real_points>([&](auto r) __attribute__((always_inline)) {
                store_real_row<r>(first, target);
            });
            store_complex_rows(first, target);
        }
    }

    /// The second dimension of the transform, for one row.
    template <std::size_t row>
    static inline __attribute__((always_inline)) Transformed row_of(const Transformed* columns) {
        return second_transform({columns[0][row], columns[1][row], columns[2][row], columns[3][row],
                                 columns[4][row], columns[5][row]});
    }

    template <std::size_t r>
    inline __attribute__((always_inline)) void store_real_row(const Transformed* columns,
                                                              std::uint8_t* target) const {
        const Transformed row = row_of<r>(columns);
        unrolled<complex_points::real_points>([&](auto s) __attribute__((always_inline)) {
            this->template store<complex_points::real(r, s)>(row[s], target);
        });
        store_complex<complex_points::complex_column(r)>(row[e], row[f], target);
    }

    inline __attribute__((always_inline)) void store_complex_rows(const Transformed* columns,
                                                                  std::uint8_t* target) const {
        const Transformed of_e = row_of<e>(columns);
        const Transformed of_f = row_of<f>(columns);
        unrolled<complex_points::real_points>([&](auto s) __attribute__((always_inline)) {
            store_complex<complex_points::complex_row(s)>(of_e[s], of_f[s], target);
        });
        store_complex<complex_points::both_complex>(subtract(of_e[e], of_f[f]), add(of_e[f], of_f[e]),
                                                    target);
        store_complex<complex_points::conjugates>(add(of_e[e], of_f[f]), subtract(of_f[e], of_e[f]), target);
    }

    template <std::size_t first>
    inline __attribute__((always_inline)) void store_complex(const PixelWords& a, const PixelWords& b,
                                                             std::uint8_t* target) const {
        this->template store<first>(a, target);
        this->template store<first + 1>(b, target);
        this->template store<first + 2>(subtract(a, b), target);
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
