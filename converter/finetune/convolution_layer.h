// One 3×3 convolution with bias and ReLU in training. All three passes run by Winograd's minimal filtering,
// which takes about a third of the time of oneDNN's direct ones: the output; the gradient of the input, which
// is a convolution of the output's gradient with the filters turned by 180° and their channels exchanged; and
// the gradient of the filters. For the first layer, whose input is an image, that is oneDNN's.
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

/// Memory that layers share, since they run one after the other. Grows on demand.
class Workspace {
  public:
    /// At least so many floats, aligned to 64 bytes; what was in them is lost.
    float* floats(std::size_t count) {
        if (count * sizeof(float) > buffer_.size()) {
            buffer_ = {};  // before the new one is there
            buffer_ = kernels::AlignedBuffer(count * sizeof(float));
        }
        return buffer_.as<float>();
    }

  private:
    kernels::AlignedBuffer buffer_;
};

class ConvolutionLayer {
  public:
    /// Throws Error (failed) where oneDNN has no gradient for the shape.
    ConvolutionLayer(const layers::ConvolutionShape& shape, const layers::Execution& execution);

    /// Images [count][input_channels][height][width] for the first layer; activations in the blocked layout
    /// for all others.
    void forward(std::size_t count, const float* input, const LayerParameters& parameters, float* output,
                 Workspace& workspace) const;
    /// Not for the first layer. `output_gradient` is that before the ReLU.
    void backward_data(std::size_t count, const float* output_gradient, const LayerParameters& parameters,
                       float* input_gradient, Workspace& workspace) const;
    /// Adds to the parameters' gradients.
    void backward_weights(std::size_t count, const float* input, const float* output_gradient,
                          const LayerParameters& parameters, Workspace& workspace);

    /// Floats of the largest workspace that a pass over the whole batch asks for.
    std::size_t forward_workspace() const;
    std::size_t backward_data_workspace() const;
    std::size_t backward_weights_workspace();

    const layers::ConvolutionShape& shape() const { return shape_; }
    /// Floats of the output for so many images.
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
    /// Of the first layer, for the number of images that came last: seldom another than the batch.
    std::optional<kernels::ConvWeightsGradient> image_gradient_;
    std::size_t image_gradient_count_ = 0;
};

}  // namespace vgg19::converter
