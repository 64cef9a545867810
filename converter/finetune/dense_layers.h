// The dense layers of a network in training, with dropout after each ReLU.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "converter/finetune/layer_parameters.h"
#include "engine/model/network.h"
#include "kernels/common/aligned_buffer.h"

namespace vgg19::converter {

class DenseLayers {
  public:
    /// `orders`: the order of each layer's weights.
    DenseLayers(const model::Network& network, const std::vector<model::DenseOrder>& orders,
                std::size_t batch, int threads, double dropout);

    /// Allocates activations and their gradients (see bytes()).
    void allocate();
    std::size_t bytes() const;

    /// (count, inputs of the first layer) → (count, classes). `dropout_keys` has one key per image; if it is
    /// empty, nothing is dropped. The result is valid until the next call; the caller may modify it before
    /// passing it to backward().
    std::span<float> forward(std::size_t count, const float* input,
                             const std::vector<LayerParameters>& parameters,
                             std::span<const std::uint64_t> dropout_keys);
    /// Computes gradients from the logits' gradient, for the last forward() with the same input and keys.
    /// Adds to the gradients of parameters that are not frozen. Returns the input's gradient if it is wanted,
    /// else nullptr.
    const float* backward(std::size_t count, const float* input, std::span<const float> logits_gradient,
                          const std::vector<LayerParameters>& parameters, bool input_gradient_wanted);

  private:
    struct Layer {
        model::DenseLayer shape;
        model::DenseOrder order;
        kernels::AlignedBuffer output;  ///< (batch, outputs), after ReLU and dropout
    };

    void finish_outputs(std::size_t count, std::size_t index, std::span<const float> bias,
                        std::span<const std::uint64_t> dropout_keys);
    void add_gradients(std::size_t count, const Layer& layer, const float* input, const float* gradient,
                       const LayerParameters& parameters) const;
    std::size_t widest() const;

    std::vector<Layer> layers_;
    std::size_t batch_;
    int threads_;
    double dropout_;
    float kept_scale_ = 1;  ///< 1 / (1 − dropout), or 1 without dropout, in the last forward()
    std::array<kernels::AlignedBuffer, 2> gradients_;
};

}  // namespace vgg19::converter
