// Adaptive average pool from the blocked layout (kernels/common/blocked_layout.h) to the plain one: the input
// of the first dense layer. With equal sizes it only changes the layout.
//
//   output[b][c][y][x] = mean of input[b][c] over rows [⌊y·H/h⌋, ⌈(y+1)·H/h⌉) and columns [⌊x·W/w⌋,
//   ⌈(x+1)·W/w⌉)
//
// for an input of H×W and an output of h×w: PyTorch's AdaptiveAvgPool2d.
#pragma once

#include <cstddef>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

struct AveragePool {
    std::size_t batch = 1;
    std::size_t channels = 0;
    std::size_t height = 0;  ///< of the input, like the width
    std::size_t width = 0;
    std::size_t output_height = 0;
    std::size_t output_width = 0;
    std::size_t block = 0;         ///< channels per block: a multiple of 8, or of 16 for the AVX-512 kernel
    const float* input = nullptr;  ///< [batch][⌈channels / block⌉][height][width][block]
    float* output = nullptr;       ///< [batch][channels][output_height][output_width]
};

/// Computes channel blocks [begin, end) of batch · ⌈channels / block⌉, counted through all images. All
/// kernels sum row by row and divide by the count, so all give identical bits.
using AveragePoolFunction = void(const AveragePool& problem, std::size_t begin, std::size_t end);

VGG19_KERNELS(VGG19_FLOAT_ISAS, AveragePoolFunction, average_pool)

}  // namespace vgg19::kernels
