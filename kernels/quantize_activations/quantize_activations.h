// Quantises activations to unsigned 8 bits, with the range determined in the same call (dynamic
// quantization).
//
//   scale = max_i max(input[i], 0) / 255          (1 where that is 0 or subnormal)
//   output[i] = clamp(round(input[i] · (1 / scale)), 0, 255)         round: to nearest, ties to even
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

/// Returns the scale. Every kernel gives the same bits. Values must be finite; negative ones become 0.
using QuantizeActivationsFunction = float(const float* input, std::size_t count, std::uint8_t* output);

VGG19_KERNELS(VGG19_FLOAT_ISAS, QuantizeActivationsFunction, quantize_activations)

}  // namespace vgg19::kernels
