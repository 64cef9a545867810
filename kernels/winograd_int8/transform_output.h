// y = Aᵀ [ … ] A, bias, ReLU, pool and requantisation, over a vector type
// (kernels/simd/vector.h).
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

    /// Values must be ≥ 0.
    inline __attribute__((always_inline)) void store(std::size_t image, std::size_t pixel,
                                                     typename Vector::Register values) const {
        if (output_.quantized == nullptr) return store_floats(image, pixel, values);
        Vector::store_quantized(
            output_.quantized + place_ + image * image_bytes_ + pixel * int8_channel_block, values);
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
class OutputTransform {
  public:
    OutputTransform(const WinogradInt8& problem, std::size_t first_channel)
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

    static inline __attribute__((always_inline)) Register largest(const Pixels& y) {
        return Vector::maximum(Vector::maximum(y[0][0], y[0][1]), Vector::maximum(y[1][0], y[1][1]));
    }

  private:
    static constexpr std::size_t positions = winograd_int8_positions(WinogradInt8Tile::f2x2);

    Register bias_;
    Register minus_bias_;
    std::array<Register, positions> multipliers_;
};

/// The outputs of a tile: its pixels, or the largest of each 2×2 of them if pooled.
template <class Vector, WinogradInt8Tile tile, bool pool>
struct TilePixels {
    static constexpr std::size_t shrink = pool ? 2 : 1;
    static constexpr std::size_t side = winograd_int8_tile_side(tile) / shrink;

    /// Calls store(image, pixel, value(i, j)) for the pixels inside the map.
    template <class Value>
    static inline __attribute__((always_inline)) void store(const WinogradInt8& problem,
                                                            const TilePlace& place,
                                                            const OutputPixels<Vector>& output,
                                                            Value&& value) {
        const std::size_t width = problem.width / shrink;
        const std::size_t rows = problem.height / shrink - place.row / shrink;
        const std::size_t columns = width - place.column / shrink;
        const std::size_t corner = place.row / shrink * width + place.column / shrink;
        unrolled<side>([&](auto i) __attribute__((always_inline)) {
            if (i >= rows) return;
            unrolled<side>([&](auto j) __attribute__((always_inline)) {
                if (j < columns) output.store(place.image, corner + i * width + j, value(i, j));
            });
        });
    }

    static std::size_t plane_pixels(const WinogradInt8& problem) {
        return (problem.height / shrink) * (problem.width / shrink);
    }
};

/// Handles one vector of output channels for these tiles. `products` points to those of the extent's first
/// tile.
template <class Vector, bool pool>
void transform_output_f2x2(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                           std::size_t first_channel, const std::int32_t* products, std::size_t group_lanes) {
    using Target = TilePixels<Vector, WinogradInt8Tile::f2x2, pool>;
    const OutputTransform<Vector> transform(problem, first_channel);
    const OutputPixels<Vector> output(problem, Target::plane_pixels(problem), first_channel);
    const std::size_t stride = WinogradInt8::product_stride(extent);
    TilePlace place(problem, tiles.begin);
    products += (tiles.begin - extent.tiles.begin) * group_lanes;
    for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile, place.advance(problem)) {
        const auto y = transform.pixels(products, stride);
        products += group_lanes;
        Target::store(
            problem, place, output, [&](std::size_t i, std::size_t j) __attribute__((always_inline)) {
                return Vector::maximum(pool ? transform.largest(y) : y[i][j], Vector::zero());
            });
    }
}

/// The same for padding lanes of an 8-bit block, which have no output channels.
template <class Vector, WinogradInt8Tile tile, bool pool>
void clear_output(const WinogradInt8& problem, TileRange tiles, std::size_t first_channel) {
    using Target = TilePixels<Vector, tile, pool>;
    const OutputPixels<Vector> output(problem, Target::plane_pixels(problem), first_channel);
    TilePlace place(problem, tiles.begin);
    for (std::size_t i = tiles.begin; i < tiles.end; ++i, place.advance(problem)) {
        Target::store(problem, place, output, [](std::size_t, std::size_t) { return Vector::zero(); });
    }
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
