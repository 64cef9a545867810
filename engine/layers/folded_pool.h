// Folds an adaptive average pool into the dense layer after it: both are linear, so one dense layer over the
// pool's input replaces them. If that input is smaller than the pooled map, there are fewer weights to read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
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

/// INT8 weights of all channels, and a scale per output.
struct Int8Weights {
    const std::int8_t* weights = nullptr;
    const float* scale = nullptr;  ///< [outputs]
    /// Called for a channel whose weights are read while the result exists, twice for each.
    std::function<std::shared_ptr<const void>(std::size_t channel)> use_channel{};
};
struct FoldedInt8Weights {
    std::int8_t* weights = nullptr;
    float* scale = nullptr;  ///< [outputs]
};

/// The same for all channels in INT8: folded in float, one channel at a time, and requantised with 1/127 of
/// each output's largest value. The result does not depend on the number of threads.
void fold_average_pool(const PoolFold& fold, int threads, const Int8Weights& weights,
                       const FoldedInt8Weights& folded);

}  // namespace vgg19::layers
