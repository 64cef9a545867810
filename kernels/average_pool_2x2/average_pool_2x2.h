// 2×2 average pool of stride 2 in the blocked layout (kernels/common/blocked_layout.h); an odd last row or
// column is dropped. PyTorch's AvgPool2d(2), in its order of summation:
//
//   output[p][y][x][c] = (((a + b) + c) + d) / 4    of input[p][2y + dy][2x + dx][c], by rows
//
// where a plane p is one channel block of one image.
#pragma once

#include <cstddef>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

struct AveragePool2x2 {
    std::size_t planes = 0;  ///< images times channel blocks
    std::size_t height = 0;  ///< of the input, like the width
    std::size_t width = 0;
    std::size_t block = 0;         ///< channels per block: a multiple of 8, or of 16 for the AVX-512 kernel
    const float* input = nullptr;  ///< [planes][height][width][block]
    float* output = nullptr;       ///< [planes][height / 2][width / 2][block]
};

/// Computes output rows [begin, end) of planes · (height / 2), counted through all planes. All kernels give
/// identical bits.
using AveragePool2x2Function = void(const AveragePool2x2& problem, std::size_t begin, std::size_t end);

VGG19_KERNELS(VGG19_FLOAT_ISAS, AveragePool2x2Function, average_pool_2x2)

}  // namespace vgg19::kernels
