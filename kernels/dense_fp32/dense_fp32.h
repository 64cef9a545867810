// Fully connected layer in FP32: matrix times vector, and times a small batch of vectors.
//
//   output[b][o] = f(bias[o] + Σ_i input[b][i] · weights[o][i]),   f(x) = relu ? max(x, 0) : x
#pragma once

#include <cstddef>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

struct DenseFp32 {
    std::size_t batch = 1;
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    const float* input = nullptr;  ///< [batch][inputs]
    const float* weights =
        nullptr;                  ///< [outputs][inputs], row-major: as torchvision stores them, used in place
    const float* bias = nullptr;  ///< [outputs]
    float* output = nullptr;      ///< [batch][outputs]
    bool relu = false;
};

/// Computes outputs [begin, end) of every image. An output's sum is taken in the same order whatever the
/// range, the batch and the image's place in it, so any split over threads gives the same bits. No pointer
/// needs more alignment than a float's.
using DenseFp32Function = void(const DenseFp32& problem, std::size_t begin, std::size_t end);

#define VGG19_KERNEL(isa)         \
    namespace isa {               \
    DenseFp32Function dense_fp32; \
    }
VGG19_FLOAT_ISAS
#undef VGG19_KERNEL

std::span<const Kernel<DenseFp32Function>> dense_fp32_kernels();

}  // namespace vgg19::kernels
