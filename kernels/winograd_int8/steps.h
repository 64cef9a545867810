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
    static void transform_input(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                                IndexRange input_blocks, std::uint8_t* transformed) {
        if (problem.tile == WinogradInt8Tile::f2x2) {
            const InputTransform<Vector> transform(problem, extent, tiles, transformed);
            for (std::size_t block = input_blocks.begin; block < input_blocks.end; ++block) {
                transform.block(block);
            }
        } else {
            const InputTransformF4x4<Vector> transform(problem, extent, tiles, transformed);
            for (std::size_t block = input_blocks.begin; block < input_blocks.end; ++block) {
                transform.block(block);
            }
        }
    }

    static void multiply(const WinogradInt8& problem, const WinogradExtent& extent, IndexRange positions,
                         IndexRange groups, const std::uint8_t* transformed, std::int32_t* products) {
        constexpr std::size_t all = WinogradInt8::group_channels;
        for (std::size_t group = groups.begin; group < groups.end; ++group) {
            const std::int8_t* packed = problem.weights + problem.packed_group(group);
            std::int32_t* target = products + WinogradInt8::product_offset(extent, group);
            if (problem.group_lanes(group) == all) {
                Products<Vector, all>::run(problem, extent, positions, transformed, packed, target);
            } else {
                Products<Vector, all / 2>::run(problem, extent, positions, transformed, packed, target);
            }
        }
    }

    static void transform_output(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                                 IndexRange groups, const std::int32_t* products) {
        for (std::size_t group = groups.begin; group < groups.end; ++group) {
            const std::int32_t* source = products + WinogradInt8::product_offset(extent, group);
            if (problem.pool) {
                output<true>(problem, extent, tiles, group, source);
            } else {
                output<false>(problem, extent, tiles, group, source);
            }
        }
    }

  private:
    template <bool pool>
    static void output(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                       std::size_t group, const std::int32_t* products) {
        if (problem.tile == WinogradInt8Tile::f2x2) {
            output<WinogradInt8Tile::f2x2, pool>(problem, extent, tiles, group, products);
        } else {
            output<WinogradInt8Tile::f4x4, pool>(problem, extent, tiles, group, products);
        }
    }

    template <WinogradInt8Tile tile, bool pool>
    static void output(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                       std::size_t group, const std::int32_t* products) {
        const std::size_t lanes = problem.group_lanes(group);
        const std::size_t first = group * WinogradInt8::group_channels;
        if constexpr (tile == WinogradInt8Tile::f2x2) {
            for (std::size_t lane = 0; lane < lanes; lane += Vector::width) {
                transform_output_f2x2<Vector, pool>(problem, extent, tiles, first + lane, products + lane,
                                                    lanes);
            }
        } else {
            transform_output_f4x4<Vector, pool>(problem, extent, tiles, first, products, lanes);
        }
        for (std::size_t lane = lanes; lane < WinogradInt8::group_channels; lane += Vector::width) {
            clear_output<Vector, tile, pool>(problem, tiles, first + lane);
        }
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
