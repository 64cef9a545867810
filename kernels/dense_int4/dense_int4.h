// Fully connected layer whose weights alone are INT4, over the inputs that are not zero: matrix times vector,
// and times a small batch of vectors, with the weights of one input side by side.
//
//   output[b][o] = f(bias[o] + Σ_i input[b][i] · scale[i][o / 32] · q[i][o]),   f(x) = relu ? max(x, 0) : x
//
// A group of 32 neighbouring outputs of one input shares a scale, in half precision (IEEE binary16). Its
// weights take 16 bytes: byte j holds q + 8 of output j in its lower half, of output j + 16 in its upper one.
// Outputs are padded to whole groups; what the padding holds has no effect.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

/// Outputs that share a scale.
inline constexpr std::size_t int4_group = 32;
inline constexpr std::size_t int4_group_bytes = int4_group / 2;
/// What is added to a weight, −8 … 7, to store it.
inline constexpr int int4_offset = 8;

struct DenseInt4 {
    std::size_t batch = 1;
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    const float* input = nullptr;                 ///< [batch][inputs]
    const std::uint8_t* weights = nullptr;        ///< [inputs][groups()][int4_group_bytes], used in place
    const std::uint16_t* weight_scale = nullptr;  ///< [inputs][groups()]: bits of finite halves
    const float* bias = nullptr;                  ///< [outputs]
    float* output = nullptr;                      ///< [batch][outputs]
    const std::uint32_t* rows = nullptr;          ///< [row_count]: what list_nonzero_inputs() wrote
                                                  ///< (kernels/dense_sparse_input)
    std::size_t row_count = 0;
    float* sums = nullptr;  ///< [batch][2][padded_outputs()]: memory for the kernel to work in
    bool relu = false;

    /// Ranges of outputs start and end at multiples of this, but for the last end.
    static constexpr std::size_t granularity = 128;
    std::size_t padded_outputs() const { return (outputs + granularity - 1) / granularity * granularity; }
    std::size_t groups() const { return (outputs + int4_group - 1) / int4_group; }
};

/// Computes outputs [begin, end) of every image. An output's sum is taken in the same order whatever the
/// range, the batch and the image's place in it, so any split over threads gives the same bits. No pointer
/// needs more alignment than its type.
using DenseInt4Function = void(const DenseInt4& problem, std::size_t begin, std::size_t end);

#define VGG19_KERNEL(isa)         \
    namespace isa {               \
    DenseInt4Function dense_int4; \
    }
VGG19_FLOAT_ISAS
#undef VGG19_KERNEL

std::span<const Kernel<DenseInt4Function>> dense_int4_kernels();

}  // namespace vgg19::kernels
