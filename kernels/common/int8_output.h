// Where an INT8 convolution's result goes, and in what units.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vgg19::kernels {

/// One of the two pointers is there. Both are in the blocked layout (kernels/common/blocked_layout.h), zero
/// past the last channel, and halved in height and width where the convolution pools.
///
///   quantized = min(255, round(max(0, y)))     round: to nearest, ties to even
///   floats    = max(0, y)
///
/// where y is the convolution in units of one step of the output: 8-bit outputs have the output's scale in
/// the multipliers and the bias already, floats have a step of 1.
struct Int8ConvolutionOutput {
    std::uint8_t* quantized = nullptr;  ///< in blocks of int8_channel_block
    float* floats = nullptr;            ///< in blocks of float_block
    std::size_t float_block = 0;        ///< 8 or 16
};

}  // namespace vgg19::kernels
