// 3×3 INT8 convolution of stride 1 and padding 1, direct, with bias, ReLU, the 2×2 max-pool that follows, and
// requantisation, so that no layer writes 32-bit sums to memory.
//
//   accumulator[o][y][x] = Σ_c Σ_ij input[c][y + i − 1][x + j − 1] · weights[o][c][i][j]     exact, in 32
//   bits y[o][y][x] = float(accumulator) · multiplier[o] + bias[o]                                two
//   roundings
//
// and the output of kernels/common/int8_output.h. Accumulators are exact on every ISA (nothing saturates) and
// the last step is the same float operations, so every kernel, split and thread count gives the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/common/blocked_layout.h"
#include "kernels/common/int8_output.h"
#include "kernels/common/kernel_list.h"

namespace vgg19::kernels {

/// With this many input channels or fewer the sum fits 32 bits whatever the values: 9 · 255 · 128 · 7,310 <
/// 2^31.
inline constexpr std::size_t conv_int8_max_input_channels = 7310;

struct ConvInt8 {
    std::size_t batch = 1;
    std::size_t input_channels = 0;
    std::size_t output_channels = 0;
    std::size_t height = 0;  ///< of input and of output before the pool, as is the width
    std::size_t width = 0;
    bool pool = false;                     ///< 2×2, stride 2; an odd last row or column is dropped
    const std::uint8_t* input = nullptr;   ///< blocked by int8_channel_block
    const std::int8_t* weights = nullptr;  ///< packed by conv_int8_pack
    const float* multiplier = nullptr;     ///< [padded_output_channels()], positive
    const float* bias = nullptr;           ///< the same, zero past the last channel
    Int8ConvolutionOutput output;

    std::size_t input_blocks() const { return blocks_of(input_channels, int8_channel_block); }
    std::size_t output_blocks() const { return blocks_of(output_channels, int8_channel_block); }
    std::size_t padded_output_channels() const { return output_blocks() * int8_channel_block; }
    /// Products and sums.
    std::uint64_t operations() const {
        return std::uint64_t{2} * 9 * batch * input_channels * output_channels * height * width;
    }
};

}  // namespace vgg19::kernels
