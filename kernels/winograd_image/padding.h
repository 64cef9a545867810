// What every kernel of this family does past the last channel of an 8-bit output.
#pragma once

#include <algorithm>

#include "kernels/winograd_image/winograd_image.h"

namespace vgg19::kernels {

/// Zeros between the kernel's last block of channels, which is smaller, and the end of the output's last one.
static inline void clear_padding(const WinogradImage& problem, std::size_t image, std::size_t row) {
    const std::size_t first = problem.output_blocks() * problem.block;
    const std::size_t padding = blocks_of(first, int8_channel_block) * int8_channel_block - first;
    if (padding == 0) return;
    std::uint8_t* pixel =
        problem.quantized_output + blocked_index(problem.output_channels, problem.height, problem.width,
                                                 int8_channel_block, image, first, row, 0);
    for (std::size_t column = 0; column < problem.width; ++column, pixel += int8_channel_block) {
        std::fill_n(pixel, padding, std::uint8_t{0});
    }
}

}  // namespace vgg19::kernels
