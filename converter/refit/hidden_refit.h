// Adapts a dense layer after the first one when the hidden layer before it loses outputs.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "converter/prune/channels.h"
#include "converter/refit/layer_samples.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// A dense layer's F32 weights and bias in the memory order that the model has.
struct DenseTensors {
    std::span<float> weight;
    std::span<float> bias;
    model::DenseOrder order = model::DenseOrder::input_major;

    std::size_t outputs() const { return bias.size(); }
    std::size_t inputs() const { return weight.size() / bias.size(); }
    float& at(std::size_t output, std::size_t input) const {
        return order == model::DenseOrder::input_major ? weight[input * outputs() + output]
                                                       : weight[output * inputs() + input];
    }
};

/// Sets the weights and the bias of the outputs that are not kept to zero.
void clear_outputs(const DenseTensors& tensors, const Channels& outputs);

/// What a plan leaves of a dense layer. `input_bias` is the bias of the layer before it.
struct HiddenCut {
    const Channels& outputs;
    const Channels& inputs;
    std::span<const float> input_bias;
};

/// Replaces the layer's weights by those of the pruned layer without a refit, in the original shape: zeros
/// for what is removed, and the constants of removed inputs in the bias.
void fold_hidden(const DenseTensors& tensors, const HiddenCut& cut);

/// Adds the least-squares correction to the weights that fold_hidden() left, where it is an improvement.
/// `layer` counts convolutions, then dense layers. `original` are the layer's weights before fold_hidden().
RefitSolution refit_hidden(LayerSampler& sampler, std::size_t layer, const DenseTensors& original,
                           const DenseTensors& tensors, const HiddenCut& cut);

}  // namespace vgg19::converter
