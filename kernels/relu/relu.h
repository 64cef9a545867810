// ReLU in place, and where its input was positive: all that its gradient needs, in one bit a value.
//
//   rectify:   values[i] = max(values[i], 0)
//   positive:  bit i % 8 of positive[i / 8] = values[i] > 0
//   gradient:  gradient[i] = values[i] > 0 ? gradient[i] : 0, from the bits (in PyTorch too, 0 at 0)
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

/// Indices [begin, end) are multiples of 16, as sizes of blocked activations with blocks of 16 are; or of 8
/// for kernels with blocks of 8.
struct ReluKernels {
    void (*rectify)(float* values, std::size_t begin, std::size_t end);
    void (*positive)(const float* values, std::size_t begin, std::size_t end, std::uint8_t* positive);
    void (*gradient)(float* gradient, std::size_t begin, std::size_t end, const std::uint8_t* positive);
};

VGG19_KERNELS(VGG19_FLOAT_ISAS, const ReluKernels, relu)

}  // namespace vgg19::kernels
