// The output of an INT8 convolution, and its quantization scale.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vgg19::kernels {

/// Exactly one of the two pointers is set. Both outputs are in the blocked layout
/// (kernels/common/blocked_layout.h), with zeros in padding channels, and have half the height and width if
/// the convolution pools.
///
///   quantized = min(255, round(max(0, y)))     round: to nearest, ties to even
///   floats    = relu ? max(0, y) : y
///
/// where y is the convolution in units of the output's quantization step: for 8-bit outputs the multipliers
/// and the bias already contain the output's scale; for floats the step is 1.
struct Int8ConvolutionOutput {
    std::uint8_t* quantized = nullptr;  ///< in blocks of int8_channel_block
    float* floats = nullptr;            ///< in blocks of float_block
    std::size_t float_block = 0;        ///< 8 or 16
    bool relu = true;                   ///< 8-bit outputs always have it
};

}  // namespace vgg19::kernels
