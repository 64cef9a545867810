// The steps of the INT8 Winograd kernel, over a vector type (kernels/simd/vector.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/winograd_int8/products.h"
#include "kernels/winograd_int8/transform_input.h"
#include "kernels/winograd_int8/transform_output.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels::VGG19_ISA {
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
}  // namespace vgg19::kernels::VGG19_ISA
