// Symmetric positive definite systems, large ones.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/isa/kernel_list.h"
#include "kernels/training/column_products/column_products.h"

namespace vgg19::converter {

/// A square matrix, row by row, whose side is a multiple of kernels::panel_columns.
struct SquareMatrix {
    double* values = nullptr;
    std::size_t side = 0;
};

/// A = L · Lᵀ, block by block: Eigen's solvers for the blocks in double, and for the products between blocks,
/// which are nearly all of the work, the kernel that adds products in FP32 to sums in double. That is as if
/// each element of A had been rounded to FP32: fit for least squares with a ridge far above that. Results do
/// not depend on the number of threads.
class Cholesky {
  public:
    Cholesky(kernels::Kernel<kernels::ColumnProductsFunction> kernel, int threads)
        : kernel_(kernel), threads_(threads) {}

    /// Replaces the lower half of A by L; the upper one is left alone. False where A is not positive
    /// definite.
    bool factor(SquareMatrix matrix) const;

    /// Replaces B (side × columns, a multiple of kernels::panel_columns) by A⁻¹ · B. `factors` is factor()'s.
    void solve(SquareMatrix factors, std::span<double> right, std::size_t columns) const;

  private:
    /// The kernel on all threads.
    void add_products(const kernels::ColumnProducts& problem) const;

    kernels::Kernel<kernels::ColumnProductsFunction> kernel_;
    int threads_;
};

}  // namespace vgg19::converter
