// Second moments of a layer's output channels, and what they say about removable channels.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "converter/quantize/calibration.h"
#include "converter/refit/dense_refit.h"
#include "converter/refit/hidden_samples.h"
#include "converter/refit/least_squares.h"
#include "engine/model/model_file.h"

namespace vgg19::converter {

/// What the outputs of prunable_layers() were on calibration images, as the next layers receive them.
struct ChannelStatistics {
    /// For each convolution, the sums of products of channels, and of channels with 1, at sampled positions.
    std::vector<LeastSquares> moments;
    std::vector<HiddenSamples> hidden;  ///< for each hidden layer of the classifier, if they were asked for

    bool empty() const { return moments.empty(); }
};

/// The result does not depend on the number of threads.
ChannelStatistics measure_statistics(const model::ModelFile& model, const CalibrationImages& images,
                                     bool hidden = false, const model::Progress& progress = {});

/// Approximates all channels from the kept ones, by least squares.
ChannelMap reconstruct_channels(const LeastSquares& moments, std::span<const std::size_t> kept);

/// The order in which to remove channels: each time, the one that, when removed, changes the next layer's
/// output least, after the remaining channels compensate as well as they can (the rule of Hassibi and Stork's
/// Optimal Brain Surgeon, 1993). `importance` (channels × channels, both halves) is Σ wᵀ·w over the rows w of
/// the next layer's weights.
std::vector<std::size_t> least_loss_order(const LeastSquares& moments, std::vector<double> importance);

}  // namespace vgg19::converter
