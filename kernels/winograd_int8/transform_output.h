// y = Aᵀ [ … ] A, bias, ReLU, pool and requantisation, over a vector type
// (kernels/simd/vector.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "kernels/simd/unrolled.h"
#include "kernels/winograd_int8/tile_place.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// Writes one vector of output channels, as 8-bit values or as floats. `pixel` counts through the rows of a
/// plane.
template <class Vector>
class OutputPixels {
  public:
    OutputPixels(const WinogradInt8& problem, std::size_t plane_pixels, std::size_t first_channel)
        : output_(problem.output),
          first_(first_channel),
          channels_(problem.output_channels),
          plane_pixels_(plane_pixels),
          image_bytes_(problem.output_blocks() * plane_pixels * int8_channel_block),
          place_(first_channel / int8_channel_block * plane_pixels * int8_channel_block +
                 first_channel % int8_channel_block) {}

    bool quantizes() const { return output_.quantized != nullptr; }
    std::uint8_t* quantized_at(std::size_t image, std::size_t pixel) const {
        return output_.quantized + place_ + image * image_bytes_ + pixel * int8_channel_block;
    }

    /// 8-bit values must be ≥ 0.
    inline __attribute__((always_inline)) void store(std::size_t image, std::size_t pixel,
                                                     typename Vector::Register values) const {
        if (!quantizes()) return store_floats(image, pixel, values);
        Vector::store_quantized(quantized_at(image, pixel), values);
    }

  private:
    /// In steps of the smaller block. In a function of its own, so that the common case stays small.
    __attribute__((noinline)) void store_floats(std::size_t image, std::size_t pixel,
                                                typename Vector::Register values) const {
        constexpr std::size_t step = 8;
        const std::size_t block = output_.float_block;
        const std::size_t blocks = blocks_of(channels_, block);
        std::array<float, Vector::width> lanes{};
        Vector::store(lanes.data(), values);
        for (std::size_t lane = 0; lane < Vector::width; lane += step) {
            const std::size_t channel = first_ + lane;
            if (channel >= blocks * block) return;
            const std::size_t plane = image * blocks + channel / block;
            std::copy_n(lanes.data() + lane, step,
                        output_.floats + (plane * plane_pixels_ + pixel) * block + channel % block);
        }
    }

    Int8ConvolutionOutput output_;
    std::size_t first_;
    std::size_t channels_;
    std::size_t plane_pixels_;
    std::size_t image_bytes_;
    std::size_t place_;
};

/// Handles one vector of output channels.
template <class Vector>
class OutputTransformF2x2 {
  public:
    static constexpr WinogradInt8Tile tile = WinogradInt8Tile::f2x2;

    OutputTransformF2x2(const WinogradInt8& problem, std::size_t first_channel)
        : bias_(Vector::load(problem.bias + first_channel)),
          minus_bias_(Vector::subtract(Vector::zero(), bias_)) {
        for (std::size_t position = 0; position < positions; ++position) {
            multipliers_[position] = Vector::load(
                problem.multiplier + position * problem.padded_output_channels() + first_channel);
        }
    }

    using Register = typename Vector::Register;
    using Pixels = std::array<std::array<Register, 2>, 2>;

    inline __attribute__((always_inline)) Pixels pixels(const std::int32_t* products,
                                                        std::size_t stride) const {
        std::array<std::array<Register, 4>, 2> t{};
        unrolled<4>([&](auto j) __attribute__((always_inline)) {
            const auto x = [&](std::size_t i) __attribute__((always_inline)) {
                return Vector::load_converted(products + (i * 4 + j) * stride);
            };
            const auto k = [&](std::size_t i) __attribute__((always_inline)) {
                return multipliers_[i * 4 + j];
            };
            const Register start = j == 0 ? bias_ : j == 3 ? minus_bias_ : Vector::zero();
            const Register x2 = x(2);
            const Register a = Vector::fused_multiply_add(x(1), k(1), start);
            t[0][j] = Vector::fused_multiply_add(x(0), k(0), Vector::fused_multiply_add(x2, k(2), a));
            t[1][j] = Vector::fused_subtract_product(Vector::fused_subtract_product(a, x2, k(2)), x(3), k(3));
        });
        Pixels y{};
        unrolled<2>([&](auto i) __attribute__((always_inline)) {
            y[i][0] = Vector::add(t[i][0], Vector::add(t[i][1], t[i][2]));
            y[i][1] = Vector::subtract(Vector::subtract(t[i][1], t[i][2]), t[i][3]);
        });
        return y;
    }

  private:
    static constexpr std::size_t positions = winograd_int8_positions(tile);

    Register bias_;
    Register minus_bias_;
    std::array<Register, positions> multipliers_;
};

/// The outputs of tiles that are neighbours in a row of tiles, without those outside the map.
template <WinogradInt8Tile tile, bool pool>
struct OutputRows {
    static constexpr std::size_t shrink = pool ? 2 : 1;
    static constexpr std::size_t side =
        winograd_int8_tile_side(tile) / shrink;  ///< outputs of a tile, in both directions

    std::size_t width;  ///< of the map
    std::size_t image;
    std::size_t pixel;  ///< the first one, counted through the rows of the map
    std::size_t rows;
    std::size_t columns;

    OutputRows(const WinogradInt8& problem, const TilePlace& place, std::size_t tiles)
        : width(problem.width / shrink),
          image(place.image),
          pixel(place.row / shrink * width + place.column / shrink),
          rows(std::min(problem.height / shrink - place.row / shrink, side)),
          columns(std::min(width - place.column / shrink, tiles * side)) {}

    static std::size_t plane_pixels(const WinogradInt8& problem) {
        return (problem.height / shrink) * (problem.width / shrink);
    }
};

/// Computes one vector of output channels, with a tile's output transform.
template <class Vector, class Transform, bool pool>
class OutputVector {
  public:
    using Rows = OutputRows<Transform::tile, pool>;

    OutputVector(const WinogradInt8& problem, const WinogradExtent& extent, std::size_t first_channel,
                 std::size_t group_lanes)
        : transform_(problem, first_channel),
          output_(problem, Rows::plane_pixels(problem), first_channel),
          least_(Vector::broadcast(
              output_.quantizes() || problem.output.relu ? 0.0F : -std::numeric_limits<float>::infinity())),
          stride_(WinogradInt8::product_stride(extent)),
          group_lanes_(group_lanes) {}

    /// `products` points to those of the first tile.
    void tiles(Rows rows, const std::int32_t* products) const {
        if (output_.quantizes() && rows.rows == side) products = whole_tiles(rows, products);
        for (; rows.columns > 0; products += group_lanes_) {
            const Pixels y = transform_.pixels(products, stride_);
            const std::size_t columns = std::min(rows.columns, side);
            for (std::size_t i = 0; i < rows.rows; ++i) {
                for (std::size_t j = 0; j < columns; ++j) {
                    output_.store(rows.image, rows.pixel + i * rows.width + j,
                                  Vector::maximum(pool ? largest(square(y, i, j)) : y[i][j], least_));
                }
            }
            rows.pixel += columns;
            rows.columns -= columns;
        }
    }

  private:
    using Register = typename Vector::Register;
    using Pixels = typename Transform::Pixels;
    using Square = std::array<std::array<Register, 2>, 2>;
    static constexpr std::size_t side = Rows::side;
    static constexpr std::size_t squares = winograd_int8_tile_side(Transform::tile) / 2;

    /// Of 2×2 pixels.
    static inline __attribute__((always_inline)) Square square(const Pixels& y, std::size_t i,
                                                               std::size_t j) {
        return {{{y[2 * i][2 * j], y[2 * i][2 * j + 1]}, {y[2 * i + 1][2 * j], y[2 * i + 1][2 * j + 1]}}};
    }
    static inline __attribute__((always_inline)) Register largest(const Square& y) {
        return Vector::maximum(Vector::maximum(y[0][0], y[0][1]), Vector::maximum(y[1][0], y[1][1]));
    }

    /// Of 8-bit outputs, as many tiles as are completely inside the map. Returns the products of the next
    /// one.
    const std::int32_t* whole_tiles(Rows& rows, const std::int32_t* products) const {
        std::uint8_t* to = output_.quantized_at(rows.image, rows.pixel);
        const std::size_t row_bytes = rows.width * int8_channel_block;
        std::size_t count = rows.columns / side;
        rows.pixel += count * side;
        rows.columns -= count * side;
        for (; count > 0; --count, to += side * int8_channel_block, products += group_lanes_) {
            const Pixels y = transform_.pixels(products, stride_);
            unrolled<squares>([&](auto i) __attribute__((always_inline)) {
                unrolled<squares>([&](auto j) __attribute__((always_inline)) {
                    store_square(to + (i * row_bytes + j * int8_channel_block) * (pool ? 1 : 2), row_bytes,
                                 square(y, i, j));
                });
            });
        }
        return products;
    }

    static inline __attribute__((always_inline)) void store_square(std::uint8_t* to, std::size_t row_bytes,
                                                                   const Square& y) {
        if constexpr (pool) {
            Vector::store_quantized(to, Vector::maximum(largest(y), Vector::zero()));
        } else {
            Vector::store_quantized_square(to, to + row_bytes, y);
        }
    }

    Transform transform_;
    OutputPixels<Vector> output_;
    Register least_;  ///< 0 for ReLU, else −∞
    std::size_t stride_;
    std::size_t group_lanes_;
};

/// Computes a vector of output channels for these tiles. `products` points to those of the extent's first
/// tile.
template <class Vector, class Transform, bool pool>
void output_vector(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                   std::size_t first_channel, const std::int32_t* products, std::size_t group_lanes) {
    const OutputVector<Vector, Transform, pool> output(problem, extent, first_channel, group_lanes);
    products += (tiles.begin - extent.tiles.begin) * group_lanes;
    for_each_row_of_tiles(problem, tiles, [&](const TilePlace& place, std::size_t count) {
        output.tiles({problem, place, count}, products);
        products += count * group_lanes;
    });
}

/// The same for padding lanes of an 8-bit block, which have no output channels.
template <class Vector, WinogradInt8Tile tile, bool pool>
void clear_vector(const WinogradInt8& problem, TileRange tiles, std::size_t first_channel) {
    const OutputPixels<Vector> output(problem, OutputRows<tile, pool>::plane_pixels(problem), first_channel);
    for_each_row_of_tiles(problem, tiles, [&](const TilePlace& place, std::size_t count) {
        const OutputRows<tile, pool> rows(problem, place, count);
        for (std::size_t i = 0; i < rows.rows; ++i) {
            for (std::size_t j = 0; j < rows.columns; ++j) {
                output.store(rows.image, rows.pixel + i * rows.width + j, Vector::zero());
            }
        }
    });
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
