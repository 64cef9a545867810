// The layout of all activations between the first convolution and the dense layers: blocks of channels.
//
//   [image][channel / block][row][column][channel % block]
//
// so that a vector register holds the same pixel of neighbouring channels. Padding channels are zero.
// Functions are static, because sources of different instruction sets share them.
#pragma once

#include <cstddef>

#include "kernels/isa/isa.h"

namespace vgg19::kernels {

/// Channels per block: the number of floats in a register of the kernels.
static inline std::size_t channel_block(Isa isa) {
    return float_lanes(isa);
}

/// Channels per block of 8-bit activations, the same on every ISA: the number of 16-bit lanes in a register,
/// which the transforms use. Values are unsigned, with zero point 0 (they follow a ReLU).
static constexpr std::size_t int8_channel_block = 32;

static constexpr std::size_t blocks_of(std::size_t channels, std::size_t block) {
    return (channels + block - 1) / block;
}

/// The number of values of a whole activation, including padding.
static constexpr std::size_t blocked_size(std::size_t batch, std::size_t channels, std::size_t height,
                                          std::size_t width, std::size_t block) {
    return batch * blocks_of(channels, block) * height * width * block;
}

/// The index of a value.
static constexpr std::size_t blocked_index(std::size_t channels, std::size_t height, std::size_t width,
                                           std::size_t block, std::size_t image, std::size_t channel,
                                           std::size_t row, std::size_t column) {
    return ((((image * blocks_of(channels, block) + channel / block) * height) + row) * width + column) *
               block +
           channel % block;
}

}  // namespace vgg19::kernels
