// Channels of the same range, so that 8 bits in common suit them all.
#pragma once

#include <vector>

#include "engine/model/model_file.h"

namespace vgg19::converter {

/// The same network, in FP32, with other weights: what a convolution gives in channel c is divided by
///
///   r[c] = √(largest of channel c / geometric mean of the layer's), within [1/8, 8],
///
/// and the next convolution's weights for channel c are multiplied by it. The root shares the differences
/// between activations and weights, which are both rounded. ReLU and max-pool commute with that
/// (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019). What the
/// dense layers get does not change. A channel that is always zero stays as it is.
class EqualizedModel {
  public:
    /// `largest` is measure_channels()'s of `model`.
    EqualizedModel(const model::ModelFile& model, const std::vector<std::vector<float>>& largest);
    EqualizedModel(const EqualizedModel&) = delete;
    EqualizedModel& operator=(const EqualizedModel&) = delete;

    const model::ModelFile& file() const { return file_; }

  private:
    std::vector<std::vector<float>> values_;
    model::ModelFile file_;
};

}  // namespace vgg19::converter
