// 3×3 INT8 convolution of stride 1 and padding 1 by Winograd's minimal filtering F(2×2, 3×3), with bias,
// ReLU, the 2×2 max-pool that follows, and requantisation.
//
// A 2×2 tile of the output comes from a 4×4 tile d of 8-bit input and the 8-bit filter g:
//
//   V = Bᵀ d B                                        16-bit integers, |V| ≤ 1020
//   v[p] = clamp((V[p] · input_multiplier[p] + 2^9 >> 10) + zero_point(p), 0, 255)
//   u[p][o][c] = round((G g Gᵀ)[p] / filter_scale[p][o])            in [−127, 127]
//   M[p][o] = Σ_c (v[p][c] − zero_point(p)) · u[p][o][c]            exact, in 32 bits
//   y = Aᵀ [ float(M[p][o]) · multiplier[p][o] ] A + bias[o]        float, the same operations on every ISA
//
// at each of the 16 positions p, with
//
//        ⎡ 1  0 −1  0 ⎤        ⎡ 1   0   0 ⎤        ⎡ 1  1  1  0 ⎤
//   Bᵀ = ⎢ 0  1  1  0 ⎥    G = ⎢ ½   ½   ½ ⎥   Aᵀ = ⎣ 0  1 −1 −1 ⎦
//        ⎢ 0 −1  1  0 ⎥        ⎢ ½  −½   ½ ⎥
//        ⎣ 0  1  0 −1 ⎦        ⎣ 0   0   1 ⎦
//
// (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016) and the output of
// kernels/common/int8_output.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/common/blocked_layout.h"
#include "kernels/common/int8_output.h"
#include "kernels/common/kernel_list.h"

namespace vgg19::kernels {

inline constexpr std::size_t winograd_int8_positions = 16;

/// With this many input channels or fewer the sum fits 32 bits whatever the values: 255 · 127 · 66,000 <
/// 2^31.
inline constexpr std::size_t winograd_int8_max_input_channels = 66000;

/// What stands for zero among the transformed inputs of a position. At the position that sums four pixels
/// nothing is negative; the others are as often the one as the other.
constexpr std::uint8_t winograd_int8_zero_point(std::size_t position) {
    return position == 5 ? 0 : 128;
}

struct WinogradInt8 {
    std::size_t batch = 1;
    std::size_t input_channels = 0;
    std::size_t output_channels = 0;
    std::size_t height = 0;  ///< of input and of output before the pool, as is the width
    std::size_t width = 0;
    bool pool = false;                    ///< 2×2, stride 2; an odd last row or column is dropped
    const std::uint8_t* input = nullptr;  ///< blocked by int8_channel_block
    /// 1024 / the step of a transformed input, in steps of the input: in [1, 32767].
    std::array<std::int16_t, winograd_int8_positions> input_multiplier{};
    const std::int8_t* weights = nullptr;  ///< packed
    const float* multiplier = nullptr;     ///< [position][padded_output_channels()]
    const float* bias = nullptr;           ///< [padded_output_channels()], zero past the last channel
    Int8ConvolutionOutput output;

    std::size_t tile_rows() const { return (height + 1) / 2; }
    std::size_t tile_columns() const { return (width + 1) / 2; }
    std::size_t tiles() const { return batch * tile_rows() * tile_columns(); }
    std::size_t input_blocks() const { return blocks_of(input_channels, int8_channel_block); }
    std::size_t output_blocks() const { return blocks_of(output_channels, int8_channel_block); }
    std::size_t padded_output_channels() const { return output_blocks() * int8_channel_block; }
    /// Products and sums of the matrix products.
    std::uint64_t operations() const {
        return std::uint64_t{2} * winograd_int8_positions * tiles() * input_channels * output_channels;
    }
};

}  // namespace vgg19::kernels
