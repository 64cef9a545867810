// Products of the columns of two matrices, summed over their rows (samples), as needed for least squares.
//
//   sums[i][j] += Σ_s left[s][i] · right[s][j]
//
// A matrix is stored in panels of 16 columns: [column / 16][sample][column % 16]; padding columns are zero.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

inline constexpr std::size_t panel_columns = 16;

struct ColumnProducts {
    std::size_t samples = 0;
    std::size_t left_panels = 0;
    std::size_t right_panels = 0;
    const float* left = nullptr;   ///< [left_panels][samples][panel_columns]
    const float* right = nullptr;  ///< [right_panels][samples][panel_columns]
    double* sums = nullptr;        ///< one row per column of left, one column per column of right
    std::size_t stride = 0;        ///< distance between rows of sums; at least right_panels · panel_columns
    bool lower = false;  ///< compute only the panels of right up to that of left: half of a symmetric result
};

/// Computes the rows of left's panels [begin, end). Each call sums its samples in FP32, in order, and adds
/// that sum in double. So the bits do not depend on how panels are split, and calls of a few hundred samples
/// keep FP32's accuracy for any number of samples. No alignment is required.
using ColumnProductsFunction = void(const ColumnProducts& problem, std::size_t begin, std::size_t end);

VGG19_KERNELS(VGG19_FLOAT_ISAS, ColumnProductsFunction, column_products)

}  // namespace vgg19::kernels
