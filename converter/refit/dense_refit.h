// Adapts the first dense layer when some of its input channels are approximated by others.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/model/network.h"

namespace vgg19::converter {

/// Approximates every channel by the same linear combination of kept channels at each position: channel c ≈
/// constants[c] + Σ_i weights[c][i] · channel kept[i].
struct ChannelMap {
    std::size_t channels = 0;
    std::span<const std::size_t> kept;
    std::vector<float> weights;    ///< [channels][kept]
    std::vector<float> constants;  ///< [channels]
};

struct DenseWeights {
    std::span<const float> weight;  ///< in `order`
    std::span<const float> bias;
    model::DenseOrder order = model::DenseOrder::input_major;
    std::size_t outputs = 0;
};

/// The layer for the kept channels, in its original shape, with zero weights for the others: each removed
/// channel's weights are added to those of the kept channels that approximate it, and the constants to the
/// bias.
void fold_channel_map(const ChannelMap& map, const DenseWeights& dense, std::span<float> weight,
                      std::span<float> bias);

}  // namespace vgg19::converter
