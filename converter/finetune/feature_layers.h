// The convolutions, max-pools and average pool of a network in training.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "converter/finetune/convolution_layer.h"
#include "engine/model/network.h"
#include "kernels/common/aligned_buffer.h"

namespace vgg19::converter {

class FeatureLayers {
  public:
    /// `learns`: keep the activations that backward() needs.
    FeatureLayers(const model::Network& network, MapSize input_size, const layers::Execution& execution,
                  bool learns);

    /// Allocates the memory that bytes() counts.
    void allocate();
    /// The size of the activations, their gradients and the workspace. Throws Error (failed) if oneDNN has no
    /// gradient for a shape.
    std::size_t bytes();

    /// (count, 3, height, width) → (count, features). The result is valid until the next call.
    const float* forward(std::size_t count, const float* images,
                         const std::vector<LayerParameters>& parameters);
    /// Computes gradients from those of the features of the last forward(). Adds to the parameters'
    /// gradients. `pool_gradients` is empty, or has for each max-pool what is added to its output's gradient:
    /// (count, channels, height, width).
    void backward(std::size_t count, const float* images, const float* features_gradient,
                  const std::vector<LayerParameters>& parameters,
                  std::span<const std::vector<float>> pool_gradients = {});

    struct Pool {
        std::size_t channels = 0;
        MapSize size{};
    };
    /// The outputs of the max-pools, in order.
    std::vector<Pool> pools() const;
    /// Those of the last forward(), which must keep them: (count, channels, height, width).
    void copy_pool(std::size_t pool, std::size_t count, std::span<float> values) const;

    /// The number of features per image.
    std::size_t features() const { return features_; }

  private:
    struct Block {
        ConvolutionLayer convolution;
        bool pool_follows;
        float* activation = nullptr;  ///< after ReLU, before the pool
        float* pooled = nullptr;

        MapSize size() const { return convolution.shape().size; }
        const float* output() const { return pool_follows ? pooled : activation; }
    };

    /// Number of floats in a block's activation, and in the output of its pool.
    std::size_t activation_size(const Block& block, std::size_t count) const;
    std::size_t pooled_size(const Block& block, std::size_t count) const;
    std::size_t largest_activation() const;
    /// Places the activations and returns the end of the last one, in floats. While learning, all are kept;
    /// otherwise two buffers are used alternately.
    std::size_t place_activations(float* memory);
    std::size_t workspace();

    void max_pool(std::size_t count, const Block& block) const;
    void max_pool_backward(std::size_t count, const Block& block, const float* pooled_gradient,
                           float* gradient) const;
    void relu_backward(std::size_t count, const Block& block, float* gradient) const;
    void add_to_pool(std::size_t count, const Block& block, std::span<const float> values,
                     float* gradient) const;
    void average_pool(std::size_t count);
    void average_pool_backward(std::size_t count, const float* features_gradient, float* gradient) const;

    layers::Execution execution_;
    bool learns_;
    std::vector<Block> blocks_;
    std::size_t pooled_side_;
    std::size_t features_;
    kernels::AlignedBuffer activations_;
    kernels::AlignedBuffer features_memory_;
    std::array<kernels::AlignedBuffer, 2> gradients_;
    Workspace workspace_;
};

}  // namespace vgg19::converter
