// A 3×3 convolution with bias and ReLU for training. All three passes use Winograd's minimal filtering, which
// takes about a third of the time of oneDNN's direct convolutions: the output; the gradient of the input,
// which is a convolution of the output's gradient with the filters rotated by 180° and their channels
// swapped; and the gradient of the filters. Only the first layer, which reads images, takes its filters'
// gradient from oneDNN.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "converter/finetune/layer_parameters.h"
#include "engine/layers/convolution.h"
#include "engine/layers/execution.h"
#include "kernels/common/aligned_buffer.h"
#include "kernels/onednn/training/conv_weights_gradient.h"
#include "kernels/training/winograd_gradient/winograd_gradient.h"

namespace vgg19::converter {

/// Scratch memory that layers share, since they run one after another. Grows on demand.
class Workspace {
  public:
    /// Returns at least `count` floats, aligned to 64 bytes; the old contents are lost.
    float* floats(std::size_t count) {
        if (count * sizeof(float) > buffer_.size()) {
            buffer_ = {};  // free the old buffer before allocating the new one
            buffer_ = kernels::AlignedBuffer(count * sizeof(float));
        }
        return buffer_.as<float>();
    }

  private:
    kernels::AlignedBuffer buffer_;
};

class ConvolutionLayer {
  public:
    /// Throws Error (failed) if oneDNN has no gradient for the shape.
    ConvolutionLayer(const layers::ConvolutionShape& shape, const layers::Execution& execution);

    /// Reads images [count][input_channels][height][width] in the first layer, activations in the blocked
    /// layout in all others.
    void forward(std::size_t count, const float* input, const LayerParameters& parameters, float* output,
                 Workspace& workspace) const;
    /// Not for the first layer. `output_gradient` is the gradient before the ReLU.
    void backward_data(std::size_t count, const float* output_gradient, const LayerParameters& parameters,
                       float* input_gradient, Workspace& workspace) const;
    /// Adds to the gradients of the parameters.
    void backward_weights(std::size_t count, const float* input, const float* output_gradient,
                          const LayerParameters& parameters, Workspace& workspace);

    /// The size in floats of the largest workspace that a pass over a whole batch needs.
    std::size_t forward_workspace() const;
    std::size_t backward_data_workspace() const;
    std::size_t backward_weights_workspace();

    const layers::ConvolutionShape& shape() const { return shape_; }
    /// The size in floats of the output for `count` images.
    std::size_t output_size(std::size_t count) const;

  private:
    void forward_image(std::size_t count, const float* input, const LayerParameters& parameters,
                       float* output, Workspace& workspace) const;
    void backward_image_weights(std::size_t count, const float* image, const float* output_gradient,
                                const LayerParameters& parameters, Workspace& workspace);
    kernels::WinogradGradient weights_problem(std::size_t count) const;
    kernels::ConvWeightsGradient& image_gradient(std::size_t count);

    layers::ConvolutionShape shape_;
    layers::Execution execution_;
    kernels::WinogradTile forward_tile_;
    kernels::WinogradTile backward_tile_;
    kernels::WinogradTile weights_tile_;
    /// For the first layer, and the latest number of images, which rarely differs from the batch.
    std::optional<kernels::ConvWeightsGradient> image_gradient_;
    std::size_t image_gradient_count_ = 0;
};

}  // namespace vgg19::converter
