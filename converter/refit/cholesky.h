// Solves large symmetric positive definite systems.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/isa/kernel_list.h"
#include "kernels/training/column_products/column_products.h"

namespace vgg19::converter {

/// A row-major square matrix; its side is a multiple of kernels::panel_columns.
struct SquareMatrix {
    double* values = nullptr;
    std::size_t side = 0;
};

/// The blocked decomposition A = L · Lᵀ. Eigen handles the blocks in double; the products between blocks,
/// nearly all of the work, use the kernel that adds FP32 products to sums in double. The effect is as if each
/// element of A had been rounded to FP32, which suits least squares with a ridge far above that precision.
/// Results do not depend on the number of threads.
class Cholesky {
  public:
    Cholesky(kernels::Kernel<kernels::ColumnProductsFunction> kernel, int threads)
        : kernel_(kernel), threads_(threads) {}

    /// Replaces the lower half of A by L and does not touch the upper half. False if A is not positive
    /// definite.
    bool factor(SquareMatrix matrix) const;

    /// Replaces B (side × columns, a multiple of kernels::panel_columns) by A⁻¹ · B. `factors` comes from
    /// factor().
    void solve(SquareMatrix factors, std::span<double> right, std::size_t columns) const;

  private:
    /// Runs the kernel on all threads.
    void add_products(const kernels::ColumnProducts& problem) const;

    kernels::Kernel<kernels::ColumnProductsFunction> kernel_;
    int threads_;
};

}  // namespace vgg19::converter
