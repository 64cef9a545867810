// Sums of losses over arrays of values, and their gradients.
#pragma once

#include <cstddef>

#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

/// Σ |a[i] − b[i]| or Σ (a[i] − b[i])², and factor times its gradient with respect to a.
struct Difference {
    const float* a = nullptr;
    const float* b = nullptr;
    float factor = 1;
    float* gradient = nullptr;  ///< null if it is not wanted; may be `a`
    bool adds = false;          ///< to what is there
};

/// The total variation of planes: Σ f(x[y + 1][x] − x[y][x]) + f(x[y][x + 1] − x[y][x]) with f(d) = |d|, or
/// d² if `squared`.
struct TotalVariation {
    std::size_t planes = 0;
    std::size_t height = 0;
    std::size_t width = 0;
    bool squared = false;
    const float* values = nullptr;  ///< [planes][height][width]
    float factor = 1;
    float* gradient = nullptr;  ///< null, or factor times the gradient; not `values`
    bool adds = false;
};

/// Each returns the sum over a range, in runs of at most loss_run values whose sums are added in double
/// precision. The derivative of |d| at 0 is 0.
struct LossKernels {
    /// Of values [begin, end).
    double (*absolute)(const Difference& problem, std::size_t begin, std::size_t end);
    double (*squared)(const Difference& problem, std::size_t begin, std::size_t end);
    /// Of rows [begin, end) of planes · height: the differences to the row below and to the next column.
    double (*total_variation)(const TotalVariation& problem, std::size_t begin, std::size_t end);
};
inline constexpr std::size_t loss_run = 1024;

VGG19_KERNELS(VGG19_FLOAT_ISAS, const LossKernels, losses)

}  // namespace vgg19::kernels
