// The backward pass, by weights, of a 3×3 FP32 convolution of stride 1 and padding 1, by oneDNN:
//
//   weights_gradient[o][i][u][v] += Σ_{b,y,x} input[b][i][y + u − 1][x + v − 1] · output_gradient[b][o][y][x]
//   bias_gradient[o]             += Σ_{b,y,x} output_gradient[b][o][y][x]
//
// where input outside the map is zero. Our threads share out the images, whose gradients are then added, so
// it suits layers with few weights.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace vgg19::kernels {

struct ConvWeightsGradientShape {
    std::size_t batch = 1;
    std::size_t input_channels = 0;
    std::size_t output_channels = 0;
    std::size_t height = 0;
    std::size_t width = 0;
    std::size_t block = 0;     ///< channels per block of the activations (kernels/common/blocked_layout.h)
    bool plain_input = false;  ///< the input is [batch][input_channels][height][width]: an image
};

class ConvWeightsGradient {
  public:
    /// run() uses at most `threads` threads. Throws std::runtime_error if oneDNN has no implementation, and
    /// in a build without oneDNN.
    ConvWeightsGradient(const ConvWeightsGradientShape& shape, int threads);
    ConvWeightsGradient(ConvWeightsGradient&&) noexcept;
    ConvWeightsGradient& operator=(ConvWeightsGradient&&) noexcept;
    ~ConvWeightsGradient();

    /// Adds to both gradients, which are plain: [output_channels][input_channels][3][3] and
    /// [output_channels]. Activations are blocked, with zeros in padding channels. `scratch` has
    /// scratch_bytes() bytes, aligned to 64. The bits depend only on the shape.
    void run(const float* input, const float* output_gradient, float* weights_gradient, float* bias_gradient,
             std::byte* scratch);

    std::size_t scratch_bytes() const;
    /// oneDNN's name of the chosen implementation, such as "jit:avx512_core".
    const std::string& implementation() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace vgg19::kernels
