// Direct 3×3 INT8 convolution of stride 1 and padding 1, with bias, ReLU, an optional 2×2 max-pool, and
// requantisation. So layers do not pass 32-bit sums through memory.
//
//   accumulator[o][y][x] = Σ_c Σ_ij input[c][y + i − 1][x + j − 1] · weights[o][c][i][j]     exact, 32 bits
//   y[o][y][x] = float(accumulator) · multiplier[o] + bias[o]                        rounded after each step
//
// and the output of kernels/common/int8_output.h. Accumulators are exact on every ISA (nothing saturates) and
// the last step is the same float operations, so every kernel, split and thread count gives the same bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/common/blocked_layout.h"
#include "kernels/common/int8_output.h"
#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

/// Up to this number of input channels, sums fit 32 bits for all values: 9 · 255 · 128 · 7,310 < 2^31.
inline constexpr std::size_t conv_int8_max_input_channels = 7310;

struct ConvInt8 {
    std::size_t batch = 1;
    std::size_t input_channels = 0;
    std::size_t output_channels = 0;
    std::size_t height = 0;  ///< of input and of output before the pool, like the width
    std::size_t width = 0;
    bool pool = false;                     ///< 2×2, stride 2; an odd last row or column is dropped
    const std::uint8_t* input = nullptr;   ///< blocked by int8_channel_block
    const std::int8_t* weights = nullptr;  ///< packed by conv_int8_pack
    const float* multiplier = nullptr;     ///< [padded_output_channels()], positive
    const float* bias = nullptr;           ///< likewise, zero for padding channels
    Int8ConvolutionOutput output;

    std::size_t input_blocks() const { return blocks_of(input_channels, int8_channel_block); }
    std::size_t output_blocks() const { return blocks_of(output_channels, int8_channel_block); }
    std::size_t padded_output_channels() const { return output_blocks() * int8_channel_block; }
    std::size_t output_height() const { return pool ? height / 2 : height; }
    std::size_t output_width() const { return pool ? width / 2 : width; }
    std::size_t output_rows() const { return batch * output_height(); }
    /// Products and sums.
    std::uint64_t operations() const {
        return std::uint64_t{2} * 9 * batch * input_channels * output_channels * height * width;
    }

    /// Input channels are multiplied in groups of four, because an instruction sums four products.
    static constexpr std::size_t quad = 4;
    std::size_t quads() const { return blocks_of(input_channels, quad); }
    /// The quads of an input block.
    std::size_t quads_of_block(std::size_t block) const {
        return std::min(int8_channel_block / quad, quads() - block * (int8_channel_block / quad));
    }

    /// Output channels are computed in groups of one block. In the last group half a block is enough if there
    /// are no more channels.
    std::size_t groups() const { return output_blocks(); }
    std::size_t group_channels(std::size_t group) const {
        constexpr std::size_t half = int8_channel_block / 2;
        return output_channels - group * int8_channel_block > half ? int8_channel_block : half;
    }
    /// The number of bytes in a group's packed weights: [input block][filter row][filter column][quad of the
    /// block][channel of the group][channel of the quad].
    std::size_t packed_group_size(std::size_t group) const {
        return 9 * quads() * quad * group_channels(group);
    }
    /// The offset of a group's weights. All earlier groups are whole blocks.
    std::size_t packed_group(std::size_t group) const {
        return 9 * quads() * quad * group * int8_channel_block;
    }

    /// Kernels keep the sums of one tile in memory: at most this many pixels in each of two rows.
    static constexpr std::size_t widest_tile = 14;
    static constexpr std::size_t sums_size = 2 * widest_tile * int8_channel_block;
};

/// Computes rows [row_begin, row_end) of output_rows() for one group of output channels; any split gives the
/// same bits. `sums` has ConvInt8::sums_size values, is aligned to 64 bytes, and must not be shared between
/// concurrent calls.
using ConvInt8Function = void(const ConvInt8& problem, std::size_t group, std::size_t row_begin,
                              std::size_t row_end, std::int32_t* sums);

VGG19_KERNELS(VGG19_DOT_PRODUCT_ISAS, ConvInt8Function, conv_int8)

/// The size in bytes of packed weights, the same for every kernel.
std::size_t conv_int8_packed_size(const ConvInt8& problem);

/// Packs PyTorch's [output_channels][input_channels][3][3] into conv_int8_packed_size() bytes.
void conv_int8_pack(const ConvInt8& problem, int threads, const std::int8_t* weights, std::int8_t* packed);

/// The size in bytes of the scratch memory of conv_int8_convolution.
std::size_t conv_int8_scratch_size(const ConvInt8& problem, int threads);

/// Runs the whole convolution. `scratch` is aligned to 64 bytes.
void conv_int8_convolution(const Kernel<ConvInt8Function>& kernel, const ConvInt8& problem, int threads,
                           std::byte* scratch);

}  // namespace vgg19::kernels
