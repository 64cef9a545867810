// The walk over the maps, for every kernel of this family.
#pragma once

#include "kernels/max_pool/max_pool.h"

namespace vgg19::kernels {

/// Lanes::count channels at a time: Lanes::store_maximum(a, b, c, d, output) writes the maxima of four
/// pixels.
template <class Lanes>
static void pool_rows(const MaxPool& problem, std::size_t begin, std::size_t end) {
    const std::size_t block = problem.block;
    const std::size_t row_size = problem.width * block;
    const std::size_t output_height = problem.height / 2;
    const std::size_t output_row_size = problem.width / 2 * block;
    for (std::size_t row = begin; row < end; ++row) {
        const std::size_t plane = row / output_height;
        const std::size_t y = row % output_height;
        const float* top = problem.input + (plane * problem.height + 2 * y) * row_size;
        float* output = problem.output + row * output_row_size;
        for (std::size_t pixel = 0; pixel < output_row_size; pixel += block) {
            for (std::size_t channel = 0; channel < block; channel += Lanes::count) {
                const float* left = top + 2 * pixel + channel;
                Lanes::store_maximum(left, left + block, left + row_size, left + row_size + block,
                                     output + pixel + channel);
            }
        }
    }
}

}  // namespace vgg19::kernels
