// The first dense layer behind channels that are given by others.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/model/network.h"

namespace vgg19::converter {

/// Every channel as a linear combination of those that stay, the same at each position:
/// channel c ≈ constants[c] + Σ_i weights[c][i] · channel kept[i].
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

/// The same layer for the channels that stay, in the shape that it had, with zeros for the others: the
/// weights of all channels are added to those that stand for them, the constants to the bias.
void fold_channel_map(const ChannelMap& map, const DenseWeights& dense, std::span<float> weight,
                      std::span<float> bias);

}  // namespace vgg19::converter
