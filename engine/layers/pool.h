// The pools, on all threads of a session.
#pragma once

#include <cstddef>
#include <string>

#include "engine/layers/execution.h"
#include "kernels/average_pool/average_pool.h"
#include "kernels/max_pool/max_pool.h"

namespace vgg19::layers {

/// 2×2, stride 2: `channels` maps of side × side in the blocked layout become maps of ⌊side / 2⌋ × ⌊side /
/// 2⌋.
class MaxPool {
  public:
    MaxPool(std::size_t channels, std::size_t side, const Execution& execution);
    void run(const float* input, float* output) const;
    std::string kernel() const { return kernel_.name; }

  private:
    int threads_;
    kernels::Kernel<kernels::MaxPoolFunction> kernel_;
    kernels::MaxPool problem_;
};

/// Adaptive average pool to output_side × output_side, from the blocked layout to
/// [batch][channels][output_side][output_side].
class AveragePool {
  public:
    AveragePool(std::size_t channels, std::size_t side, std::size_t output_side, const Execution& execution);
    void run(const float* input, float* output) const;
    std::string kernel() const { return kernel_.name; }

  private:
    int threads_;
    kernels::Kernel<kernels::AveragePoolFunction> kernel_;
    kernels::AveragePool problem_;
};

}  // namespace vgg19::layers
