// Pruning by activation (Criterion::activation): removes the channels that the next layer needs least.
#pragma once

#include <cstddef>
#include <vector>

#include "converter/prune/criterion.h"
#include "converter/refit/least_squares.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// All filters of one of prunable_layers() in order of removal: least_loss_order, with the importance given
/// by the next layer's weights. `moments` belong to the layer's output (measure_moments).
std::vector<std::size_t> activation_order(const model::ModelFile& model, std::size_t layer,
                                          const LeastSquares& moments);

/// The same for every layer, from `moments[layer]`. Keeps references to both arguments.
ActivationOrder by_activation(const model::ModelFile& model, const std::vector<LeastSquares>& moments);

}  // namespace vgg19::converter
