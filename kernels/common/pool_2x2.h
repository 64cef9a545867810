// What the 2×2 pools of stride 2 share, in the blocked layout (kernels/common/blocked_layout.h). An odd last
// row or column is dropped.
#pragma once

#include <cstddef>

namespace vgg19::kernels {

/// A plane is one channel block of one image.
struct Pool2x2 {
    std::size_t planes = 0;  ///< images times channel blocks
    std::size_t height = 0;  ///< of the input, like the width
    std::size_t width = 0;
    std::size_t block = 0;         ///< channels per block: a multiple of 8, or of 16 for the AVX-512 kernel
    const float* input = nullptr;  ///< [planes][height][width][block]
    float* output = nullptr;       ///< [planes][height / 2][width / 2][block]

    [[gnu::always_inline]] std::size_t output_rows() const { return planes * (height / 2); }
};

/// Computes output rows [begin, end) of output_rows(), counted through all planes.
using Pool2x2Function = void(const Pool2x2& problem, std::size_t begin, std::size_t end);

}  // namespace vgg19::kernels
