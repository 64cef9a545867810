// The product of two FP32 matrices, by oneDNN. Dense layers use it in training, with batches too large for
// the engine's own kernels. Our threads share out its parts, each of which is one thread's work for oneDNN:
// OpenMP's threads wait for each other in loops that take their CPUs, so that where another program needs one
// of these, training took several times as long.
//
//   result[m][n] = Σ_k left[m][k] · right[k][n]  (+ result[m][n])
#pragma once

#include <cstddef>

namespace vgg19::kernels {

/// A row-major matrix without gaps.
struct MatrixOperand {
    const float* values = nullptr;
    bool transposed = false;  ///< the operand is the transpose of this matrix
};

struct MatrixProduct {
    std::size_t rows = 0;     ///< m
    std::size_t columns = 0;  ///< n
    std::size_t terms = 0;    ///< k
    MatrixOperand left;
    MatrixOperand right;
    float* result = nullptr;
    bool add = false;  ///< add to the contents of `result`
};

/// Throws std::runtime_error in a build without oneDNN. The bits depend only on the sizes.
void matrix_product(const MatrixProduct& problem, int threads);

}  // namespace vgg19::kernels
