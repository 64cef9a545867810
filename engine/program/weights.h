// The weights of a model file, in the form that a program's layers need.
#pragma once

#include <vector>

#include "engine/layers/convolution.h"
#include "engine/layers/dense.h"
#include "engine/model/model_file.h"
#include "engine/program/plan.h"
#include "kernels/common/aligned_buffer.h"

namespace vgg19 {

/// Views of the file's memory. `next` is the following convolution, which has the scale of this one's output;
/// null for the last one.
layers::ConvolutionWeights convolution_weights(const model::ModelFile& file,
                                               const model::ConvolutionLayer& layer,
                                               const model::ConvolutionLayer* next);

/// The quantization scale of an INT8 convolution's input; 0 for FP32.
float input_scale(const model::ModelFile& file, const model::ConvolutionLayer& layer);

/// While it exists, a tensor's bytes can be read.
using WeightsUse = std::vector<model::MappedFile::Use>;

/// ModelFile::use() on at most `threads` threads.
WeightsUse use_weights(const model::ModelFile& file, const model::Tensor& tensor, int threads);

/// A dense layer with the weights in the file, which may be read from it here, on at most `threads` threads.
layers::DenseProblem dense_problem(const model::ModelFile& file, const model::DenseLayer& layer, int threads);

/// The first dense layer's weights with the average pool folded in (engine/layers/folded_pool.h).
class FoldedDenseWeights {
  public:
    /// Without folded weights.
    FoldedDenseWeights() = default;
    /// `size` is that of the map before the pool. Uses few of the file's weights at a time.
    FoldedDenseWeights(const model::ModelFile& file, MapSize size, int threads);

    /// The first dense layer with the folded weights, which this object owns.
    layers::DenseProblem dense_problem(const model::ModelFile& file) const;

  private:
    std::size_t inputs_ = 0;
    kernels::AlignedBuffer weights_;
    std::vector<float> scales_;  ///< only for INT8 weights
};

}  // namespace vgg19
