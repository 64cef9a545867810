// 3×3 convolution of stride 1 and padding 1, with bias and ReLU, computed directly.
//
//   output[b][o][y][x] = f(bias[o] + Σ_c Σ_r Σ_s input[b][c][y+r−1][x+s−1] · weights[o][c][r][s])
//   f(x) = relu ? max(x, 0) : x
//
// Input outside the map is zero. Activations are in the blocked layout
// (kernels/common/blocked_layout.h).
#pragma once

#include <cstddef>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

struct ConvDirect {
    std::size_t batch = 1;
    std::size_t input_channels = 0;
    std::size_t output_channels = 0;
    std::size_t height = 0;
    std::size_t width = 0;
    std::size_t block = 0;     ///< channels per block of the output, and of the input unless it is plain
    bool plain_input = false;  ///< the input is [batch][input_channels][height][width]: an image
    bool relu = true;
    const float* input = nullptr;
    const float* weights = nullptr;  ///< packed by conv_direct_pack
    const float* bias = nullptr;     ///< [output_channels]
    float* output = nullptr;
};

/// Computes output rows [begin, end) of batch · ⌈output_channels / block⌉ · height, counted in that order.
using ConvDirectFunction = void(const ConvDirect& problem, std::size_t begin, std::size_t end);

VGG19_KERNELS(VGG19_FLOAT_ISAS, ConvDirectFunction, conv_direct)

/// The number of floats in packed weights: [⌈output_channels / block⌉][input_channels][3][3][block], with
/// zeros for padding channels.
std::size_t conv_direct_packed_size(std::size_t input_channels, std::size_t output_channels,
                                    std::size_t block);

/// From PyTorch's [output_channels][input_channels][3][3].
void conv_direct_pack(std::size_t input_channels, std::size_t output_channels, std::size_t block,
                      const float* weights, float* packed);

}  // namespace vgg19::kernels
