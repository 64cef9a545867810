#include "converter/prune/channels.h"

#include <algorithm>
#include <cstring>

#include "kernels/common/parallel.h"

namespace vgg19::converter {

Channels split_channels(std::size_t channels, const LayerCut* cut) {
    Channels split;
    if (cut != nullptr) split.removed = cut->removed;
    for (std::size_t channel = 0; channel < channels; ++channel) {
        if (!std::binary_search(split.removed.begin(), split.removed.end(), channel)) {
            split.kept.push_back(channel);
        }
    }
    return split;
}

const LayerCut* find_cut(const PrunePlan& plan, Part part, std::size_t index) {
    const auto found = std::find_if(plan.cuts.begin(), plan.cuts.end(), [&](const LayerCut& cut) {
        return cut.part == part && cut.index == index;
    });
    return found == plan.cuts.end() ? nullptr : &*found;
}

Channels output_channels(const model::Network& network, const PrunePlan& plan, std::size_t layer) {
    for (const PrunableLayer& prunable : prunable_layers(network)) {
        if (prunable.reader != layer + 1) continue;
        return split_channels(prunable.channels, find_cut(plan, prunable.part, prunable.index));
    }
    return split_channels(network.dense_layers()[layer - network.convolutions().size()].outputs, nullptr);
}

void gather_weights(const LayerWeights& weights, const Channels& outputs, const Channels& inputs,
                    std::span<float> gathered) {
    const std::size_t row_size = inputs.kept.size() * weights.area;
    kernels::parallel_for(kernels::available_cpus(), outputs.kept.size(), [&](std::size_t row) {
        float* destination = gathered.data() + row * row_size;
        for (const auto channel : inputs.kept) {
            const auto taps = weights.taps(outputs.kept[row], channel);
            std::memcpy(destination, taps.data(), taps.size_bytes());
            destination += weights.area;
        }
    });
}

void fold_bias(const LayerWeights& weights, std::span<const float> bias, const Channels& outputs,
               const Channels& inputs, std::span<const float> input_bias, std::span<float> folded) {
    for (std::size_t row = 0; row < outputs.kept.size(); ++row) {
        double sum = bias[outputs.kept[row]];
        for (const auto channel : inputs.removed) {
            const double constant = std::max(input_bias[channel], 0.0F);
            for (const float tap : weights.taps(outputs.kept[row], channel)) sum += constant * tap;
        }
        folded[row] = static_cast<float>(sum);
    }
}

}  // namespace vgg19::converter
