// The weights of a model file, as the layers of a program take them.
#pragma once

#include <vector>

#include "engine/layers/convolution.h"
#include "engine/layers/dense.h"
#include "engine/model/model_file.h"
#include "engine/program/plan.h"
#include "kernels/common/aligned_buffer.h"

namespace vgg19 {

/// Views of the file's own memory. `next`: the convolution that follows, whose input scale is the output's;
/// null behind the last one.
layers::ConvolutionWeights convolution_weights(const model::ModelFile& file,
                                               const model::ConvolutionLayer& layer,
                                               const model::ConvolutionLayer* next);

/// One step of the 8-bit input of an INT8 convolution; 0 for one in FP32.
float input_scale(const model::ModelFile& file, const model::ConvolutionLayer& layer);

/// A dense layer with the file's own weights.
layers::DenseProblem dense_problem(const model::ModelFile& file, const model::DenseLayer& layer);

/// The first dense layer's weights for the map before the average pool (engine/layers/folded_pool.h).
class FoldedDenseWeights {
  public:
    /// Nothing is folded.
    FoldedDenseWeights() = default;
    /// `size`: of the map before the pool. The pages of the file that were read are given back.
    FoldedDenseWeights(const model::ModelFile& file, MapSize size, int threads);

    /// Puts the folded weights in place of the file's own; they belong to this.
    void apply(layers::DenseProblem& problem) const;

  private:
    std::size_t inputs_ = 0;
    kernels::AlignedBuffer weights_;
    std::vector<float> scales_;  ///< of INT8 weights
};

}  // namespace vgg19
