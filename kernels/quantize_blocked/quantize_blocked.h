// Quantises FP32 activations to 8 bits with a given scale, from the FP32 blocked layout to the 8-bit one:
//
//   output[channel][pixel] = min(255, round(max(0, input[channel][pixel] · inverse_scale)))
//
// where rounding is to nearest, ties to even, and NaN gives 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/common/blocked_layout.h"
#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

struct QuantizeBlocked {
    std::size_t batch = 1;
    std::size_t channels = 0;
    std::size_t height = 0;
    std::size_t width = 0;
    std::size_t block = 0;           ///< channels per block of the input: 8 or 16
    const float* input = nullptr;    ///< blocked by `block`
    float inverse_scale = 1;         ///< 1 / the output's quantization scale; positive
    std::uint8_t* output = nullptr;  ///< blocked by int8_channel_block

    std::size_t input_blocks() const { return blocks_of(channels, block); }
    std::size_t output_blocks() const { return blocks_of(channels, int8_channel_block); }
    std::size_t rows() const { return batch * output_blocks() * height; }
};

/// Computes rows [begin, end) of batch · output_blocks() · height, counted in that order. Every kernel gives
/// the same bits. No alignment is required.
using QuantizeBlockedFunction = void(const QuantizeBlocked& problem, std::size_t begin, std::size_t end);

VGG19_KERNELS(VGG19_FLOAT_ISAS, QuantizeBlockedFunction, quantize_blocked)

}  // namespace vgg19::kernels
