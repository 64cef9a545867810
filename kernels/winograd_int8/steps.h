// The steps of every INT8 Winograd kernel, written once over a vector type. Included by the source of each
// ISA, into a namespace of its own, so that no two of them share a symbol.
//
// A vector type has
//   words (16-bit lanes), Words, broadcast_word, load_pixels_shifted_by_5, add_words, subtract_words,
//     multiply_rounded(a, b) = a · b + 2^14 >> 15, and store_bytes<zero_point>, which saturates;
//   width (32-bit lanes), Sum, Filters, load_sum, store_sum, load_filters, broadcast_quad (four channels of a
//     tile), add_products(sum, quad, filters); and `rows`, the tiles of a register tile;
//   as many floats, with load, store, zero, add, subtract, maximum, multiply_add(a, b, c) = a · b + c,
//     subtract_product(c, a, b) = c − a · b, load_converted (from 32-bit integers), and store_quantized.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/winograd_int8/products.h"
#include "kernels/winograd_int8/transform_input.h"
#include "kernels/winograd_int8/transform_output.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels {
namespace {

template <class Vector>
class WinogradInt8Kernel {
  public:
    static void transform_input(const WinogradInt8& problem, TileRange tiles, std::size_t block_begin,
                                std::size_t block_end, std::uint8_t* transformed) {
        const InputTransform<Vector> transform(problem, tiles, transformed);
        for (std::size_t block = block_begin; block < block_end; ++block) transform.block(block);
    }

    static void multiply(const WinogradInt8& problem, TileRange tiles, std::size_t group,
                         const std::uint8_t* transformed, std::int32_t* products) {
        constexpr std::size_t all = WinogradInt8::group_channels;
        const std::size_t lanes = problem.group_lanes(group);
        const std::int8_t* packed = problem.weights + problem.packed_group(group);
        if (lanes == all) {
            Products<Vector, all>::run(problem, tiles.size(), transformed, packed, products);
        } else {
            Products<Vector, all / 2>::run(problem, tiles.size(), transformed, packed, products);
        }
        if (problem.pool) {
            output<true>(problem, tiles, group, products);
        } else {
            output<false>(problem, tiles, group, products);
        }
    }

  private:
    template <bool pool>
    static void output(const WinogradInt8& problem, TileRange tiles, std::size_t group,
                       const std::int32_t* products) {
        const std::size_t lanes = problem.group_lanes(group);
        for (std::size_t lane = 0; lane < WinogradInt8::group_channels; lane += Vector::width) {
            const std::size_t channel = group * WinogradInt8::group_channels + lane;
            if (lane < lanes) {
                transform_output<Vector, pool>(problem, tiles, channel, products + lane, lanes);
            } else {
                clear_output<Vector, pool>(problem, tiles, channel);
            }
        }
    }
};

}  // namespace
}  // namespace vgg19::kernels
