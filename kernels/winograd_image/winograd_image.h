// 3×3 FP32 convolution of stride 1 and padding 1 of an image, which has few channels, with bias and ReLU:
// from the plain layout to the blocked one, by Winograd's minimal filtering F(4,3) along rows. The output is
// FP32, or 8-bit for an INT8 layer that follows.
//
// Four neighbouring pixels Y of output row y come from the pixels d_cr of input row y + r − 1, one more on
// either side, and the row g_cr of the filter, over channels c and filter rows r:
//
//   Y = f(bias + Aᵀ [ Σ_c Σ_r (G g_cr) ⊙ (Bᵀ d_cr) ]),   f(x) = relu ? max(x, 0) : x
//
// with the matrices of kernels/winograd/matrices.h. That is 4½ products per channel and pixel, where direct
// convolution has 9. Tiles in both dimensions (kernels/winograd/winograd.h) have 2¼, but with few channels
// the transform of the output then costs more than it saves.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/common/blocked_layout.h"
#include "kernels/isa/kernel_list.h"
#include "kernels/relu/output_bits.h"

namespace vgg19::kernels {

struct WinogradImage {
    std::size_t batch = 1;
    std::size_t input_channels = 0;
    std::size_t output_channels = 0;
    std::size_t height = 0;  ///< of input and of output, like the width
    std::size_t width = 0;
    std::size_t block = 0;           ///< channels per block of the output: that of the kernel's ISA
    bool relu = true;                ///< 8-bit outputs always have it
    const float* input = nullptr;    ///< [batch][input_channels][height][width]
    const float* weights = nullptr;  ///< packed by winograd_image_pack
    const float* bias = nullptr;     ///< [⌈output_channels / block⌉ · block], zero past the last channel
    /// Exactly one output is set. The 8-bit one equals quantize_blocked of the FP32 one, bit for bit, and is
    /// blocked by int8_channel_block.
    float* output = nullptr;  ///< [batch][⌈output_channels / block⌉][height][width][block]
    std::uint8_t* quantized_output = nullptr;
    OutputBits bits;                 ///< of the FP32 output
    float output_inverse_scale = 1;  ///< 1 / the 8-bit output's quantization scale; positive

    static constexpr std::size_t tile_width = 4;  ///< output pixels per tile
    static constexpr std::size_t positions = tile_width + 2;
    static constexpr std::size_t filter_rows = 3;
    /// Output channels are computed in groups of this many blocks; the last group may have one block less.
    static constexpr std::size_t group_blocks = 2;

    std::size_t rows() const { return batch * height; }
    std::size_t tiles() const { return (width + tile_width - 1) / tile_width; }
    std::size_t output_blocks() const { return blocks_of(output_channels, block); }
    /// Multiplications and additions, without those of the transforms.
    std::uint64_t operations() const {
        return std::uint64_t{2} * filter_rows * positions * rows() * tiles() * input_channels *
               output_channels;
    }

    /// The size in floats of packed weights: [group][input channel][filter row][position][block of the
    /// group][lane].
    std::size_t packed_size() const {
        return input_channels * filter_rows * positions * output_blocks() * block;
    }
    /// The offset of a group's weights. All earlier groups are full.
    std::size_t packed_group(std::size_t group) const {
        return input_channels * filter_rows * positions * group * group_blocks * block;
    }

    /// Transformed tiles form vectors of at most this many; the last vector of a row is padded.
    static constexpr std::size_t widest_vector = 16;
    std::size_t padded_tiles() const { return blocks_of(tiles(), widest_vector) * widest_vector; }
    /// The size in floats of a padded row of pixels: one pixel on the left, and on the right as many as the
    /// last vector of tiles loads.
    std::size_t padded_width() const { return tile_width * padded_tiles() + 2 * tile_width; }
    /// The size in floats of a transformed input row, all channels.
    std::size_t transformed_row_size() const { return input_channels * positions * padded_tiles(); }
    /// The size in floats of the scratch memory: the transformed rows for one output row, and a row of
    /// pixels.
    std::size_t scratch_size() const { return filter_rows * transformed_row_size() + padded_width(); }
};

/// Computes output rows [row_begin, row_end) of batch · height, for all channels. Any split into ranges gives
/// the same bits; each range transforms two additional rows. `scratch` has scratch_size() floats, is aligned
/// to 64 bytes, and must not be shared between concurrent calls.
using WinogradImageFunction = void(const WinogradImage& problem, std::size_t row_begin, std::size_t row_end,
                                   float* scratch);

VGG19_KERNELS(VGG19_FLOAT_ISAS, WinogradImageFunction, winograd_image)

/// Transforms PyTorch's [output_channels][input_channels][3][3] into packed_size() floats, in double and
/// rounded once.
void winograd_image_pack(const WinogradImage& problem, const float* weights, float* packed);

}  // namespace vgg19::kernels
