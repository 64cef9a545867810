// The backward passes of ReLU and of a max-pool from activations that were kept, in the blocked layout
// (kernels/common/blocked_layout.h). They only move memory, so one source serves every ISA.
#pragma once

#include <cstddef>

namespace vgg19::kernels {

/// gradient[i] = activation[i] > 0 ? gradient[i] : 0, where the activation is ReLU's output.
void relu_gradient(const float* activation, float* gradient, std::size_t size);

/// Gradient of a ReLU and the 2×2 max-pool of stride 2 after it, in one pass:
///
///   gradient[p][y][x][c] = pooled_gradient[p][⌊y/2⌋][⌊x/2⌋][c] where activation[p][y][x][c] is positive and
///                          the first largest of its window (in PyTorch's order, by rows), 0 elsewhere
///
/// An odd last row or column belongs to no window. A plane p is one channel block of one image.
struct MaxPoolGradient {
    std::size_t planes = 0;
    std::size_t height = 0;  ///< of the activation, like the width
    std::size_t width = 0;
    std::size_t block = 0;                   ///< 8 or 16
    const float* activation = nullptr;       ///< [planes][height][width][block], ReLU's output
    const float* pooled_gradient = nullptr;  ///< [planes][height / 2][width / 2][block]
    float* gradient = nullptr;               ///< [planes][height][width][block]
};

/// Computes planes [begin, end).
void max_pool_relu_gradient(const MaxPoolGradient& problem, std::size_t begin, std::size_t end);

}  // namespace vgg19::kernels
