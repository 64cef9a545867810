// 2×2 max-pool of stride 2 in the blocked layout (kernels/common/blocked_layout.h); an odd last row or column
// is dropped.
//
//   output[p][y][x][c] = max over dy, dx in {0, 1} of input[p][2y + dy][2x + dx][c]
//
// where a plane p is one channel block of one image.
#pragma once

#include <cstddef>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

struct MaxPool {
    std::size_t planes = 0;  ///< images times channel blocks
    std::size_t height = 0;  ///< of the input, like the width
    std::size_t width = 0;
    std::size_t block = 0;         ///< channels per block: a multiple of 8, or of 16 for the AVX-512 kernel
    const float* input = nullptr;  ///< [planes][height][width][block]
    float* output = nullptr;       ///< [planes][height / 2][width / 2][block]
};

/// Computes output rows [begin, end) of planes · (height / 2), counted through all planes.
using MaxPoolFunction = void(const MaxPool& problem, std::size_t begin, std::size_t end);

VGG19_KERNELS(VGG19_FLOAT_ISAS, MaxPoolFunction, max_pool)

}  // namespace vgg19::kernels
