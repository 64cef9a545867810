// Computes and quantises V of F(4×4, 3×3) on complex points, over a vector type (kernels/simd/vector.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/simd/unrolled.h"
#include "kernels/winograd_int8/complex_points.h"
#include "kernels/winograd_int8/tile_place.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

template <class Vector>
class InputTransformF4x4 {
  public:
    InputTransformF4x4(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
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
            const std::size_t in_row = problem_.tile_columns() - place.column / side;
            const std::size_t count = std::min({tiles_.end - tile, in_row, most_tiles});
            for (std::size_t lane = 0; lane < int8_channel_block; lane += Vector::words) {
                row_of_tiles(rows_at(place, block, lane), place.column, count, target + lane);
            }
            target += count * int8_channel_block;
            tile += count;
        }
    }

  private:
    using Words = typename Vector::Words;
    static constexpr std::size_t positions = winograd_int8_positions(WinogradInt8Tile::f4x4);
    static constexpr std::size_t side = winograd_int8_tile_side(WinogradInt8Tile::f4x4);
    static constexpr std::size_t input_side = side + 2;
    /// Tiles that are transformed together: so many that few columns of pixels, which neighbouring tiles
    /// share, are transformed twice, and so few that the columns stay in the L1 cache.
    static constexpr std::size_t most_tiles = 4;
    static constexpr std::size_t most_columns = most_tiles * side + 2;

    /// One dimension of the transform, in the order B0, B1, B−1, B∞, e, f.
    using Transformed = std::array<Words, input_side>;
    static constexpr std::size_t e = 4;
    static constexpr std::size_t f = 5;

    static inline __attribute__((always_inline)) Words add(Words a, Words b) {
        return Vector::add_words(a, b);
    }
    static inline __attribute__((always_inline)) Words subtract(Words a, Words b) {
        return Vector::subtract_words(a, b);
    }
    static inline __attribute__((always_inline)) Transformed transform(const Transformed& d) {
        const Words even = add(d[2], d[4]);
        const Words odd = add(d[1], d[3]);
        return {subtract(d[0], d[4]), add(even, odd),       subtract(even, odd),
                subtract(d[5], d[1]), subtract(d[4], d[2]), subtract(d[3], d[1])};
    }

    /// The rows of pixels under a row of tiles; a row outside the map is a single zero pixel, repeated.
    struct Rows {
        std::array<const std::uint8_t*, input_side> first;
        std::array<std::size_t, input_side> step;
    };

    Rows rows_at(const TilePlace& place, std::size_t block, std::size_t lane) const {
        alignas(64) static constexpr std::array<std::uint8_t, int8_channel_block> zeros{};
        const std::size_t row_bytes = problem_.width * int8_channel_block;
        const std::uint8_t* plane =
            problem_.input + (place.image * problem_.input_blocks() + block) * problem_.height * row_bytes;
        Rows rows{};
        for (std::size_t i = 0; i < input_side; ++i) {
            const std::size_t row = place.row + i - 1;  // unsigned: −1 wraps to a value past the end
            const bool inside = row < problem_.height;
            rows.first[i] = (inside ? plane + row * row_bytes : zeros.data()) + lane;
            rows.step[i] = inside ? int8_channel_block : 0;
        }
        return rows;
    }

    inline __attribute__((always_inline)) Transformed column_at(const Rows& rows, std::size_t column) const {
        if (column >= problem_.width) return {};
        Transformed pixels{};
        unrolled<input_side>([&](auto i) __attribute__((always_inline)) {
            pixels[i] = Vector::load_pixels(rows.first[i] + column * rows.step[i]);
        });
        return transform(pixels);
    }

    void row_of_tiles(const Rows& rows, std::size_t column, std::size_t count, std::uint8_t* target) const {
        std::array<Transformed, most_columns> columns;
        for (std::size_t i = 0; i < count * side + 2; ++i) columns[i] = column_at(rows, column + i - 1);
        for (std::size_t tile = 0; tile < count; ++tile, target += int8_channel_block) {
            const Transformed* first = &columns[tile * side];
            unrolled<complex_points::real_points>([&](auto r) __attribute__((always_inline)) {
                store_real_row<r>(first, target);
            });
            store_complex_rows(first, target);
        }
    }

    /// The second dimension of the transform, for one row.
    template <std::size_t row>
    static inline __attribute__((always_inline)) Transformed row_of(const Transformed* columns) {
        return transform({columns[0][row], columns[1][row], columns[2][row], columns[3][row], columns[4][row],
                          columns[5][row]});
    }

    template <std::size_t r>
    inline __attribute__((always_inline)) void store_real_row(const Transformed* columns,
                                                              std::uint8_t* target) const {
        const Transformed row = row_of<r>(columns);
        unrolled<complex_points::real_points>([&](auto s) __attribute__((always_inline)) {
            store<complex_points::real(r, s)>(row[s], target);
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
    inline __attribute__((always_inline)) void store_complex(Words a, Words b, std::uint8_t* target) const {
        store<first>(a, target);
        store<first + 1>(b, target);
        store<first + 2>(subtract(a, b), target);
    }

    template <std::size_t position>
    inline __attribute__((always_inline)) void store(Words value, std::uint8_t* target) const {
        Vector::template store_bytes<winograd_int8_zero_point(position)>(
            target + position * stride_, Vector::multiply_rounded(value, multipliers_[position]));
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
