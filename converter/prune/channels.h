// Which channels a plan leaves in a layer's input and output, and the matching weights.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "converter/prune/prune.h"

namespace vgg19::converter {

/// The kept and the removed channels of a layer's input or output.
struct Channels {
    std::vector<std::size_t> kept;
    std::vector<std::size_t> removed;

    bool complete() const { return removed.empty(); }
    std::size_t count() const { return kept.size() + removed.size(); }
};

/// A null `cut` keeps all channels.
Channels split_channels(std::size_t channels, const LayerCut* cut);

/// Null if the plan does not change the layer.
const LayerCut* find_cut(const PrunePlan& plan, Part part, std::size_t index);

/// The channels of a layer's output, where convolutions are counted first, then dense layers, two for a
/// factored one, of which the first factor keeps all.
Channels output_channels(const model::Network& network, const PrunePlan& plan, std::size_t layer);

/// A layer's F32 weights as (outputs, input channels, area): area is 9 for a convolution and 49 for the first
/// dense layer.
struct LayerWeights {
    std::span<const float> values;
    std::size_t input_channels = 0;
    std::size_t area = 0;

    std::span<const float> taps(std::size_t output, std::size_t input_channel) const {
        return values.subspan((output * input_channels + input_channel) * area, area);
    }
};

/// Copies the kept weights as (kept outputs, kept inputs, area). Runs on all CPUs.
void gather_weights(const LayerWeights& weights, const Channels& outputs, const Channels& inputs,
                    std::span<float> gathered);

/// The kept biases, to which the constants of the removed input channels are added: ReLU(input_bias), the
/// output of a removed filter wherever its own input is zero.
void fold_bias(const LayerWeights& weights, std::span<const float> bias, const Channels& outputs,
               const Channels& inputs, std::span<const float> input_bias, std::span<float> folded);

}  // namespace vgg19::converter
