// Fully connected layer with INT8 weights over the dynamically quantised inputs that are not zero: as
// kernels/dense_int8 computes it, with the weights of one input side by side, so that the rows of zero inputs
// are never read (kernels/dense_sparse_input says why that pays).
//
//   accumulator[b][o] = Σ_i input[b][i] · weights[i][o]                      exact, in 32 bits
//   output[b][o] = f(bias[o] + float(accumulator[b][o]) · (input_scale[b] · weight_scale[o])),   f(x) = relu
//   ? max(x, 0) : x
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

struct DenseInt8SparseInput {
    std::size_t batch = 1;
    std::size_t inputs = 0;  ///< at most dense_int8_max_inputs (kernels/dense_int8)
    std::size_t outputs = 0;
    const std::uint8_t* input = nullptr;   ///< [batch][inputs]
    const float* input_scale = nullptr;    ///< [batch]
    const std::int8_t* weights = nullptr;  ///< [inputs][outputs], used in place
    const float* weight_scale = nullptr;   ///< [outputs]
    const float* bias = nullptr;           ///< [outputs]
    float* output = nullptr;               ///< [batch][outputs]
    const std::uint32_t* rows = nullptr;   ///< [row_count]: what list_nonzero_inputs() wrote
    std::size_t row_count = 0;
    std::int32_t* sums = nullptr;  ///< [batch][padded_outputs()]: memory for the kernel to work in
    bool relu = false;

    /// Ranges of outputs start and end at multiples of this, but for the last end.
    static constexpr std::size_t granularity = 64;
    std::size_t padded_outputs() const { return (outputs + granularity - 1) / granularity * granularity; }
};

/// Writes to `rows`, ascending, the inputs that are not zero in one image at least, and returns how many
/// there are. `rows` has room for `inputs`.
std::size_t list_nonzero_inputs(const std::uint8_t* input, std::size_t batch, std::size_t inputs,
                                std::uint32_t* rows);

/// Computes outputs [begin, end) of every image. Every kernel gives the bits that kernels/dense_int8 gives.
/// No alignment is needed.
using DenseInt8SparseInputFunction = void(const DenseInt8SparseInput& problem, std::size_t begin,
                                          std::size_t end);

#define VGG19_KERNEL(isa)                                 \
    namespace isa {                                       \
    DenseInt8SparseInputFunction dense_int8_sparse_input; \
    }
VGG19_DOT_PRODUCT_ISAS
#undef VGG19_KERNEL

std::span<const Kernel<DenseInt8SparseInputFunction>> dense_int8_sparse_input_kernels();

}  // namespace vgg19::kernels
