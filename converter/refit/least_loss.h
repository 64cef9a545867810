// Pruning by activation (Criterion::activation): removes the channels that the next layer needs least.
#pragma once

#include <cstddef>
#include <vector>

#include "converter/prune/criterion.h"
#include "converter/refit/moments.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// All filters of a convolution, counted from 0, in order of removal: least_loss_order, with the importance
/// given by the next layer's weights. `moments` belong to the convolution's output.
std::vector<std::size_t> activation_order(const model::ModelFile& model, std::size_t convolution,
                                          const LeastSquares& moments);

/// All outputs of a hidden layer of the classifier, counted from 0: selection_order.
std::vector<std::size_t> activation_order(const model::ModelFile& model, std::size_t hidden_layer,
                                          const HiddenSamples& samples);

/// The same for each of prunable_layers(). Keeps references to both arguments.
ActivationOrder by_activation(const model::ModelFile& model, const ChannelStatistics& statistics);

}  // namespace vgg19::converter
