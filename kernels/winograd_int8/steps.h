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
            transform_blocks(InputTransformF2x2<Vector>(problem, extent, tiles, transformed), input_blocks);
        } else {
            transform_blocks(InputTransformF4x4<Vector>(problem, extent, tiles, transformed), input_blocks);
        }
    }

    static void multiply(const WinogradInt8& problem, const WinogradExtent& extent, IndexRange positions,
                         IndexRange groups, const std::uint8_t* transformed, std::int32_t* products) {
        MultiplyStep<Vector>(problem, extent, transformed, products).run(positions, groups);
    }

    static void transform_output(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                                 IndexRange groups, const std::int32_t* products) {
        for (std::size_t group = groups.begin; group < groups.end; ++group) {
            const std::int32_t* source = products + WinogradInt8::product_offset(extent, group);
            if (problem.tile == WinogradInt8Tile::f2x2) {
                output<OutputTransformF2x2<Vector>>(problem, extent, tiles, group, source);
            } else {
                output<OutputTransformF4x4<Vector>>(problem, extent, tiles, group, source);
            }
        }
    }

  private:
    template <class Transform>
    static void transform_blocks(const Transform& transform, IndexRange blocks) {
        for (std::size_t block = blocks.begin; block < blocks.end; ++block) transform.block(block);
    }

    template <class Transform>
    static void output(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                       std::size_t group, const std::int32_t* products) {
        if (problem.pool) {
            output<Transform, true>(problem, extent, tiles, group, products);
        } else {
            output<Transform, false>(problem, extent, tiles, group, products);
        }
    }

    template <class Transform, bool pool>
    static void output(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                       std::size_t group, const std::int32_t* products) {
        const std::size_t lanes = problem.group_lanes(group);
        for (std::size_t lane = 0; lane < WinogradInt8::group_channels; lane += Vector::width) {
            const std::size_t channel = group * WinogradInt8::group_channels + lane;
            if (lane < lanes) {
                output_vector<Vector, Transform, pool>(problem, extent, tiles, channel, products + lane,
                                                       lanes);
            } else {
                clear_vector<Vector, Transform::tile, pool>(problem, tiles, channel);
            }
        }
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
