// Products of the columns of two matrices, summed over their rows, which are samples: what least squares is
// made of.
//
//   sums[i][j] += Σ_s left[s][i] · right[s][j]
//
// A matrix lies in panels of 16 columns: [column / 16][sample][column % 16]; columns past the last are zero.
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
    double* sums = nullptr;        ///< rows of the columns of left, columns of the columns of right
    std::size_t stride = 0;  ///< from one row of sums to the next; at least right_panels · panel_columns
    bool lower = false;      ///< only panels of right up to the panel of left: half of a symmetric result
};

/// Computes the rows of left's panels [begin, end). The samples of a call are summed in FP32, one after the
/// other, and that sum is added in double: so any split of the panels gives the same bits, and calls of a few
/// hundred samples keep FP32's accuracy however many there are. No alignment is needed.
using ColumnProductsFunction = void(const ColumnProducts& problem, std::size_t begin, std::size_t end);

VGG19_KERNELS(VGG19_FLOAT_ISAS, ColumnProductsFunction, column_products)

}  // namespace vgg19::kernels
