// An adaptive average pool and the dense layer behind it are both linear: one dense layer over the pool's
// input does what they do. Where that map is smaller than the pooled one, it has fewer weights to read.
#pragma once

#include <cstddef>

namespace vgg19::layers {

/// A pool from side × side to pooled_side × pooled_side, and a dense layer with `outputs` outputs.
struct FoldedPool {
    std::size_t side = 0;
    std::size_t pooled_side = 0;
    std::size_t outputs = 0;
    const float* weights = nullptr;  ///< [channels][pooled_side][pooled_side][outputs]
    float* folded = nullptr;         ///< [channels][side][side][outputs]
};

/// Computes, for channels c in [begin, end),
///
///   folded[c][i][j][o] = Σ over (p, q) of share(p, i) · share(q, j) · weights[c][p][q][o]
///
/// where share(p, i) is the weight of row i in row p of the pooled map: 1 / the length of its window, or 0
/// outside of it. Where side ≤ pooled_side, windows have one or two rows, so that only the additions round.
void fold_average_pool(const FoldedPool& fold, std::size_t begin, std::size_t end);

}  // namespace vgg19::layers
