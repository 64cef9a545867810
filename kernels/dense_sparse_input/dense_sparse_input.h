// Fully connected layer in FP32 over the inputs that are not zero: matrix times vector, and times a small
// batch of vectors, with the weights of one input side by side.
//
//   output[b][o] = f(bias[o] + Σ_i input[b][i] · weights[i][o]),   f(x) = relu ? max(x, 0) : x
//
// A dense layer is bound by reading its weights, and after a ReLU about half of its inputs are zero: rows
// that they would be multiplied by are left out of the sum, which changes nothing, and never read.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

struct DenseSparseInput {
    std::size_t batch = 1;
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    const float* input = nullptr;         ///< [batch][inputs]
    const float* weights = nullptr;       ///< [inputs][outputs], finite, used in place
    const float* bias = nullptr;          ///< [outputs]
    float* output = nullptr;              ///< [batch][outputs]
    const std::uint32_t* rows = nullptr;  ///< [row_count]: what list_nonzero_inputs() wrote
    std::size_t row_count = 0;
    float* partial_sums = nullptr;  ///< [batch][outputs]: memory for the kernel to work in
    bool relu = false;
};

/// Writes to `rows`, ascending, the inputs that are not zero (a NaN is not) in one image at least, and
/// returns how many there are. `rows` has room for `inputs`, of which there are fewer than 2^32.
std::size_t list_nonzero_inputs(const float* input, std::size_t batch, std::size_t inputs,
                                std::uint32_t* rows);

/// Computes outputs [begin, end) of every image. An output's sum is taken in the same order whatever the
/// range, the batch and the image's place in it, so any split over threads gives the same bits. No pointer
/// needs more alignment than a float's.
using DenseSparseInputFunction = void(const DenseSparseInput& problem, std::size_t begin, std::size_t end);

#define VGG19_KERNEL(isa)                        \
    namespace isa {                              \
    DenseSparseInputFunction dense_sparse_input; \
    }
VGG19_FLOAT_ISAS
#undef VGG19_KERNEL

std::span<const Kernel<DenseSparseInputFunction>> dense_sparse_input_kernels();

}  // namespace vgg19::kernels
