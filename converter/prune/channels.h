// What a plan leaves of a layer's channels, and of the weights that read them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "converter/prune/prune.h"

namespace vgg19::converter {

/// Which channels of a layer's input or output stay, and what the others were.
struct Channels {
    std::vector<std::size_t> kept;
    std::vector<std::size_t> removed;

    bool complete() const { return removed.empty(); }
};

/// `cut` may be null: then all stay.
Channels split_channels(std::size_t channels, const LayerCut* cut);

/// Null where the plan leaves the layer whole.
const LayerCut* find_cut(const PrunePlan& plan, std::size_t features_index);

/// A layer's F32 weights as (outputs, input channels, area): 9 taps a channel for a convolution, 49 columns
/// for the first dense layer.
struct LayerWeights {
    std::span<const float> values;
    std::size_t input_channels = 0;
    std::size_t area = 0;

    std::span<const float> taps(std::size_t output, std::size_t input_channel) const {
        return values.subspan((output * input_channels + input_channel) * area, area);
    }
};

/// What stays, as (kept outputs, kept inputs, area). On all CPUs.
void gather_weights(const LayerWeights& weights, const Channels& outputs, const Channels& inputs,
                    std::span<float> gathered);

/// The biases that stay, with the constants of the removed input channels folded in: ReLU(input_bias), which
/// a removed filter gives where its own input is zero.
void fold_bias(const LayerWeights& weights, std::span<const float> bias, const Channels& outputs,
               const Channels& inputs, std::span<const float> input_bias, std::span<float> folded);

}  // namespace vgg19::converter
