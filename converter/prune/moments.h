// How the channels of a layer's output go together, and what that says about the ones that could go.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "converter/prune/dense_refit.h"
#include "converter/prune/least_squares.h"
#include "converter/quantize/calibration.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// The sums of products of channels, and of channels with 1, at sampled positions: entry i is for the output
/// of convolution i, as the layer behind it gets it. The result is the same for every number of threads.
std::vector<LeastSquares> measure_moments(const model::ModelFile& model, const CalibrationImages& images,
                                          const model::Progress& progress = {});

/// All channels from those that are kept, by least squares.
ChannelMap reconstruct_channels(const LeastSquares& moments, std::span<const std::size_t> kept);

/// The order in which channels should go: each time the one whose loss costs the output of the next layer
/// least, when the channels that are left make up for it as well as they can (the rule of Hassibi and Stork's
/// Optimal Brain Surgeon, 1993). `importance` (channels × channels, both halves) is Σ wᵀ·w over the rows w of
/// the next layer's weights.
std::vector<std::size_t> least_loss_order(const LeastSquares& moments, std::vector<double> importance);

}  // namespace vgg19::converter
