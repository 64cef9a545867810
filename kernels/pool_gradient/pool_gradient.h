// Gradients of the pools with respect to their input, in the blocked layout
// (kernels/common/blocked_layout.h), and a 2×2 max-pool that records what its gradient needs: which of its
// four inputs each output was, in two bits.
//
// With the windows a b / c d of the 2×2 pools of stride 2, which drop an odd last row or column:
//
//   max-pool      the output's gradient goes to the first largest input by rows, as in PyTorch
//   average       a quarter of the output's gradient goes to each input
//   adaptive average (kernels/average_pool/average_pool.h)
//                 each input's gradient is the sum, over the windows that contain it, of the output's
//                 gradient / the window's size
//
// and zero to all others. If `positive` is set, a ReLU came before the pool: the result also passes it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/common/pool_2x2.h"
#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

/// The bytes of the choices of a max-pool with this many outputs, a multiple of 8: for each output a bit
/// whether it came from the lower row; then, in a second array, whether from the right column. The bit of
/// output i is bit i % 8 of byte i / 8.
constexpr std::size_t max_pool_choices_size(std::size_t outputs) {
    return outputs / 4;
}

struct RecordingMaxPool {
    Pool2x2 pool;
    std::uint8_t* choices = nullptr;
};

/// Of a 2×2 pool.
struct PoolGradient {
    std::size_t planes = 0;  ///< images times channel blocks
    std::size_t height = 0;  ///< of the pool's input, like the width
    std::size_t width = 0;
    std::size_t block = 0;                   ///< a multiple of 8, or of 16 for the AVX-512 kernel
    const float* pooled = nullptr;           ///< gradient: [planes][height / 2][width / 2][block]
    const std::uint8_t* choices = nullptr;   ///< of a max-pool
    const std::uint8_t* positive = nullptr;  ///< null, or the bits of kernels/relu/relu.h of the pool's input
    float* gradient = nullptr;               ///< [planes][height][width][block]

    /// Work is divided into rows of windows; the last may be a single row of the input.
    std::size_t rows() const { return planes * ((height + 1) / 2); }
};

struct AdaptivePoolGradient {
    std::size_t batch = 1;
    std::size_t channels = 0;
    std::size_t height = 0;  ///< of the pool's input, like the width
    std::size_t width = 0;
    std::size_t pooled_height = 0;
    std::size_t pooled_width = 0;
    std::size_t block = 0;                   ///< a multiple of 8, or of 16 for the AVX-512 kernel
    const float* pooled = nullptr;           ///< gradient: [batch][channels][pooled_height][pooled_width]
    const std::uint8_t* positive = nullptr;  ///< null, or bits of the pool's input
    float* gradient = nullptr;               ///< [batch][⌈channels / block⌉][height][width][block]
};

/// All kernels give identical bits.
struct PoolGradientKernels {
    /// Output rows [begin, end), as Pool2x2Function does.
    void (*max_pool)(const RecordingMaxPool& problem, std::size_t begin, std::size_t end);
    /// Rows [begin, end) of problem.rows().
    void (*of_max_pool)(const PoolGradient& problem, std::size_t begin, std::size_t end);
    void (*of_average_pool)(const PoolGradient& problem, std::size_t begin, std::size_t end);
    /// Channel blocks [begin, end) of batch · ⌈channels / block⌉. Padding channels become zero.
    void (*of_adaptive_pool)(const AdaptivePoolGradient& problem, std::size_t begin, std::size_t end);
};

VGG19_KERNELS(VGG19_FLOAT_ISAS, const PoolGradientKernels, pool_gradient)

}  // namespace vgg19::kernels
