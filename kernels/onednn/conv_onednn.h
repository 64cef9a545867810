// 3×3 FP32 convolution of stride 1 and padding 1, with bias and ReLU, by oneDNN's direct algorithm: the same
// function as kernels/conv_direct. Only this folder includes oneDNN's headers; it builds with 2.6 and 3.x.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "kernels/isa/isa.h"

namespace vgg19::kernels {

struct ConvOneDnnShape {
    std::size_t batch = 1;
    std::size_t input_channels = 0;
    std::size_t output_channels = 0;
    std::size_t height = 0;
    std::size_t width = 0;
    bool plain_input = false;  ///< the input is [batch][input_channels][height][width]: an image
    bool relu = true;
    bool winograd = false;  ///< use oneDNN's Winograd, which only 2.x has: for comparison in benches
};

/// A convolution with its packed weights. Activations are in the blocked layout of `isa`
/// (kernels/common/blocked_layout.h).
class ConvOneDnn {
  public:
    /// Whether oneDNN has an implementation for this layout that uses `isa`: never below AVX2, and not for
    /// every shape.
    static bool supports(const ConvOneDnnShape& shape, Isa isa);

    /// Packs the weights ([output_channels][input_channels][3][3]) on `threads` threads; run() uses the same
    /// number. The pointers are not needed afterwards. Throws std::runtime_error if oneDNN has no
    /// implementation for this layout that uses `isa`, which must be at least AVX2.
    ConvOneDnn(const ConvOneDnnShape& shape, Isa isa, int threads, const float* weights, const float* bias);
    ConvOneDnn(ConvOneDnn&&) noexcept;
    ConvOneDnn& operator=(ConvOneDnn&&) noexcept;
    ~ConvOneDnn();

    /// `scratch` has scratch_bytes() bytes, aligned to 64; convolutions that do not run at the same time may
    /// share it.
    void run(const float* input, float* output, std::byte* scratch) const;

    std::size_t scratch_bytes() const;
    std::size_t packed_bytes() const;
    /// oneDNN's name of the chosen implementation, such as "jit:avx512_core".
    const std::string& implementation() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Such as "2.6.3".
std::string onednn_version();

}  // namespace vgg19::kernels
