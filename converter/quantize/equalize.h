// Scales channels to similar ranges, so that one 8-bit scale suits all.
#pragma once

#include <vector>

#include "engine/model/model_file.h"

namespace vgg19::converter {

/// The same FP32 network with other weights: output channel c of a convolution is divided by
///
///   r[c] = √(largest of channel c / geometric mean of the layer's), within [1/8, 8],
///
/// and the next convolution's weights for channel c are multiplied by it. The square root divides the
/// differences between activations and weights, since both are quantised. ReLU and max-pool commute with this
/// scaling (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019).
/// The inputs of the dense layers do not change. A channel that is always zero is not scaled. The factors r
/// are kept as tensors (model::output_factor_name), for who reads a map in between.
class EqualizedModel {
  public:
    /// `largest` is the result of measure_channels() for `model`.
    EqualizedModel(const model::ModelFile& model, const std::vector<std::vector<float>>& largest);
    EqualizedModel(const EqualizedModel&) = delete;
    EqualizedModel& operator=(const EqualizedModel&) = delete;

    const model::ModelFile& file() const { return file_; }

  private:
    std::vector<std::vector<float>> values_;
    model::ModelFile file_;
};

}  // namespace vgg19::converter
