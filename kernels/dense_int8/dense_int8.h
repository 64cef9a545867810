// Fully connected layer with INT8 weights and dynamically quantised activations: matrix times vector, and a
// GEMM over a batch.
//
//   accumulator[b][o] = Σ_i input[b][i] · weights[o][i]                      exact, in 32 bits
//   output[b][o] = f(bias[o] + float(accumulator[b][o]) · (input_scale[b] · weight_scale[o])),   f(x) = relu
//   ? max(x, 0) : x
//
// Input is unsigned with zero_point 0 (it follows a ReLU), weights are symmetric per output channel.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

/// With this many inputs or fewer the sum fits 32 bits whatever the values: 255 · 128 · 65,793 < 2^31.
inline constexpr std::size_t dense_int8_max_inputs = 65793;

struct DenseInt8 {
    std::size_t batch = 1;
    std::size_t inputs = 0;  ///< at most dense_int8_max_inputs
    std::size_t outputs = 0;
    const std::uint8_t* input = nullptr;   ///< [batch][inputs]
    const float* input_scale = nullptr;    ///< [batch]
    const std::int8_t* weights = nullptr;  ///< [outputs][inputs], row-major, used in place
    const float* weight_scale = nullptr;   ///< [outputs]
    const float* bias = nullptr;           ///< [outputs]
    float* output = nullptr;               ///< [batch][outputs]
    bool relu = false;
};

/// Computes outputs [begin, end) of every image. Accumulators are exact on every ISA (nothing saturates), and
/// the last step is the same few float operations (no fused multiply-add), so every kernel gives the same
/// bits. No alignment is needed.
using DenseInt8Function = void(const DenseInt8& problem, std::size_t begin, std::size_t end);

#define VGG19_KERNEL(isa)         \
    namespace isa {               \
    DenseInt8Function dense_int8; \
    }
VGG19_DOT_PRODUCT_ISAS
#undef VGG19_KERNEL

std::span<const Kernel<DenseInt8Function>> dense_int8_kernels();

}  // namespace vgg19::kernels
