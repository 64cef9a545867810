// An adaptive average pool and the dense layer behind it are both linear: one dense layer over the pool's
// input does what they do. Where that map is smaller than the pooled one, it has fewer weights to read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "vgg19/map_size.h"

namespace vgg19::layers {

/// A pool of `channels` maps from `size` to pooled_side × pooled_side, and a dense layer with `outputs`
/// outputs.
struct PoolFold {
    std::size_t channels = 0;
    MapSize size{};
    std::size_t pooled_side = 0;
    std::size_t outputs = 0;

    /// Weights of one channel, [pooled_side][pooled_side][outputs], and folded, [height][width][outputs].
    std::size_t pooled_channel_size() const { return pooled_side * pooled_side * outputs; }
    std::size_t channel_size() const { return size.pixels() * outputs; }
    std::size_t folded_size() const { return channels * channel_size(); }
};

/// Computes, for one channel,
///
///   folded[i][j][o] = Σ over (p, q) of share(p, i) · share(q, j) · weights[p][q][o]
///
/// where share(p, i) is the weight of row i in row p of the pooled map: 1 / the length of its window, or 0
/// outside of it. Where height and width ≤ pooled_side, windows have one or two rows, so that only the
/// additions round.
void fold_channel(const PoolFold& fold, const float* weights, float* folded);

/// INT8 weights of all channels, and one step of each output's.
struct Int8Weights {
    const std::int8_t* weights = nullptr;
    const float* scale = nullptr;  ///< [outputs]
    /// Called for weights that were read; they are read twice.
    std::function<void(std::span<const std::int8_t>)> release{};
};
struct FoldedInt8Weights {
    std::int8_t* weights = nullptr;
    float* scale = nullptr;  ///< [outputs]
};

/// The same for all channels in INT8: folded as floats, a channel at a time, and rounded to steps of 1/127 of
/// an output's largest. The same for every number of threads.
void fold_average_pool(const PoolFold& fold, int threads, const Int8Weights& weights,
                       const FoldedInt8Weights& folded);

}  // namespace vgg19::layers
