// Quantises FP32 activations to the 8 bits that an INT8 convolution reads, on all threads of a session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/layers/execution.h"
#include "kernels/quantize_blocked/quantize_blocked.h"

namespace vgg19::layers {

/// `channels` maps of side × side, from floats in the blocked layout of the ISA to unsigned 8 bits in blocks
/// of int8_channel_block, in steps of `scale`.
class Quantization {
  public:
    Quantization(std::size_t channels, std::size_t side, float scale, const Execution& execution);
    void run(const float* input, std::uint8_t* output) const;
    std::string kernel() const { return kernel_.name; }

  private:
    int threads_;
    kernels::Kernel<kernels::QuantizeBlockedFunction> kernel_;
    kernels::QuantizeBlocked problem_;
};

}  // namespace vgg19::layers
