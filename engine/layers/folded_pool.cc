#include "engine/layers/folded_pool.h"

#include <algorithm>

#include "kernels/average_pool/pool_blocks.h"

namespace vgg19::layers {

namespace {

float share(std::size_t pooled, std::size_t index, const FoldedPool& fold) {
    const kernels::PoolWindow window = kernels::pool_window(pooled, fold.side, fold.pooled_side);
    if (index < window.begin || index >= window.end) return 0;
    return 1.0F / static_cast<float>(window.end - window.begin);
}

/// The weights of one pixel of the map: `weights` and `folded` are a channel's.
void fold_pixel(const FoldedPool& fold, std::size_t row, std::size_t column, const float* weights,
                float* folded) {
    std::fill_n(folded, fold.outputs, 0.0F);
    for (std::size_t p = 0; p < fold.pooled_side; ++p) {
        for (std::size_t q = 0; q < fold.pooled_side; ++q) {
            const float factor = share(p, row, fold) * share(q, column, fold);
            if (factor == 0) continue;
            const float* pooled = weights + (p * fold.pooled_side + q) * fold.outputs;
            for (std::size_t o = 0; o < fold.outputs; ++o) folded[o] += factor * pooled[o];
        }
    }
}

}  // namespace

void fold_average_pool(const FoldedPool& fold, std::size_t begin, std::size_t end) {
    const std::size_t pooled_pixels = fold.pooled_side * fold.pooled_side;
    for (std::size_t channel = begin; channel < end; ++channel) {
        const float* weights = fold.weights + channel * pooled_pixels * fold.outputs;
        for (std::size_t row = 0; row < fold.side; ++row) {
            for (std::size_t column = 0; column < fold.side; ++column) {
                const std::size_t pixel = (channel * fold.side + row) * fold.side + column;
                fold_pixel(fold, row, column, weights, fold.folded + pixel * fold.outputs);
            }
        }
    }
}

}  // namespace vgg19::layers
