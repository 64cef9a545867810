// The outputs of a classifier's hidden layer on calibration images, and which of them the others can replace.
//
// There are often fewer images than outputs, so second moments (moments.h) would tell less and take more.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "converter/refit/dense_refit.h"
#include "engine/layers/execution.h"

namespace vgg19::converter {

struct HiddenSamples {
    std::size_t channels = 0;
    std::vector<std::size_t> items;  ///< the image of each sample: CalibrationImages::items
    std::vector<float> values;       ///< [samples][channels]

    std::span<const float> row(std::size_t sample) const {
        return std::span(values).subspan(sample * channels, channels);
    }
};

/// How the next layer weights the channels: [outputs][channels] or the transposed.
struct ReaderWeights {
    std::span<const float> values;
    std::size_t outputs = 0;
    bool input_major = false;
};

/// The order in which to remove channels: the reverse of greedy forward selection, which each time keeps the
/// channel that explains most of what is left of the next layer's output (orthogonal matching pursuit: Pati,
/// Rezaiifar and Krishnaprasad, 1993). At most half as many channels as there are samples are selected; those
/// before them in the order are sorted by the size of their own share of that output. Does not depend on the
/// number of threads.
std::vector<std::size_t> selection_order(const HiddenSamples& samples, const ReaderWeights& weights,
                                         int threads);

/// Approximates all channels from the kept ones by least squares on all images but those in `left_out`
/// (sorted; on all if none would be left).
ChannelMap reconstruct_hidden(const HiddenSamples& samples, std::span<const std::size_t> kept,
                              std::span<const std::size_t> left_out, const layers::Execution& execution);

}  // namespace vgg19::converter
