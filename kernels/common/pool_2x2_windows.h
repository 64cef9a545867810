// The windows of a 2×2 pool.
#pragma once

#include <cstddef>

#include "kernels/common/pool_2x2.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// Calls body(upper, lower, index) for `lanes` channels at a time of output rows [begin, end): `upper` and
/// `lower` are the left values of a window's two rows, the right ones follow after a block; `index` is that
/// of the output.
template <std::size_t lanes, class Body>
inline __attribute__((always_inline)) void for_each_pooled(const Pool2x2& pool, std::size_t begin,
                                                           std::size_t end, const Body& body) {
    const std::size_t block = pool.block;
    const std::size_t row_size = pool.width * block;
    const std::size_t output_height = pool.height / 2;
    const std::size_t output_row_size = pool.width / 2 * block;
    for (std::size_t row = begin; row < end; ++row) {
        const std::size_t plane = row / output_height;
        const std::size_t y = row % output_height;
        const float* top = pool.input + (plane * pool.height + 2 * y) * row_size;
        for (std::size_t pixel = 0; pixel < output_row_size; pixel += block) {
            for (std::size_t channel = 0; channel < block; channel += lanes) {
                const float* upper = top + 2 * pixel + channel;
                body(upper, upper + row_size, row * output_row_size + pixel + channel);
            }
        }
    }
}

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
