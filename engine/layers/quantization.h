// Quantises FP32 activations to the 8 bits that an INT8 convolution reads, on all threads of a session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/layers/execution.h"
#include "engine/layers/operation.h"
#include "kernels/quantize_blocked/quantize_blocked.h"
#include "vgg19/map_size.h"

namespace vgg19::layers {

/// Converts `channels` maps from floats in the ISA's blocked layout to unsigned 8 bits in blocks of
/// int8_channel_block, with the given scale.
class Quantization final : public Operation {
  public:
    Quantization(std::size_t channels, MapSize size, float scale, const Execution& execution);
    void run(const std::byte* input, std::byte* output, std::byte* scratch) override;
    std::string kernel() const override { return kernel_.name; }

  private:
    int threads_;
    kernels::Kernel<kernels::QuantizeBlockedFunction> kernel_;
    kernels::QuantizeBlocked problem_;
};

}  // namespace vgg19::layers
