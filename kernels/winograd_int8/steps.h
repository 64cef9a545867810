// The steps of the INT8 Winograd kernel, over a vector type (kernels/simd/vector.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/winograd_int8/products.h"
#include "kernels/winograd_int8/transform_input.h"
#include "kernels/winograd_int8/transform_input_f4x4.h"
#include "kernels/winograd_int8/transform_output.h"
#include "kernels/winograd_int8/transform_output_f4x4.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

template <class Vector>
class WinogradInt8Kernel {
  public:
    static void transform_input(const WinogradInt8& problem, TileRange tiles, std::size_t block_begin,
                                std::size_t block_end, std::uint8_t* transformed) {
        if (problem.tile == WinogradInt8Tile::f2x2) {
            const InputTransform<Vector> transform(problem, tiles, transformed);
            for (std::size_t block = block_begin; block < block_end; ++block) transform.block(block);
        } else {
            const InputTransformF4x4<Vector> transform(problem, tiles, transformed);
            for (std::size_t block = block_begin; block < block_end; ++block) transform.block(block);
        }
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
        if (problem.tile == WinogradInt8Tile::f2x2) {
            problem.pool ? output<WinogradInt8Tile::f2x2, true>(problem, tiles, group, products)
                         : output<WinogradInt8Tile::f2x2, false>(problem, tiles, group, products);
        } else {
            problem.pool ? output<WinogradInt8Tile::f4x4, true>(problem, tiles, group, products)
                         : output<WinogradInt8Tile::f4x4, false>(problem, tiles, group, products);
        }
    }

  private:
    template <WinogradInt8Tile tile, bool pool>
    static void output(const WinogradInt8& problem, TileRange tiles, std::size_t group,
                       const std::int32_t* products) {
        const std::size_t lanes = problem.group_lanes(group);
        const std::size_t first = group * WinogradInt8::group_channels;
        if constexpr (tile == WinogradInt8Tile::f2x2) {
            for (std::size_t lane = 0; lane < lanes; lane += Vector::width) {
                transform_output<Vector, pool>(problem, tiles, first + lane, products + lane, lanes);
            }
        } else {
            transform_output_f4x4<Vector, pool>(problem, tiles, first, products, lanes);
        }
        for (std::size_t lane = lanes; lane < WinogradInt8::group_channels; lane += Vector::width) {
            clear_output<Vector, tile, pool>(problem, tiles, first + lane);
        }
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
