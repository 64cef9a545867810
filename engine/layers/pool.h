// The pools, on all threads of a session.
#pragma once

#include <cstddef>
#include <string>

#include "engine/layers/execution.h"
#include "engine/layers/operation.h"
#include "kernels/average_pool/average_pool.h"
#include "kernels/average_pool_2x2/average_pool_2x2.h"
#include "kernels/max_pool/max_pool.h"
#include "vgg19/map_size.h"

namespace vgg19::layers {

/// 2×2, stride 2: `channels` maps of `size`, floats in the blocked layout, become maps of size.halved().
class MaxPool final : public Operation {
  public:
    MaxPool(std::size_t channels, MapSize size, const Execution& execution);
    void run(const std::byte* input, std::byte* output, std::byte* scratch) override;
    std::string kernel() const override { return kernel_.name; }

  private:
    int threads_;
    kernels::Kernel<kernels::MaxPoolFunction> kernel_;
    kernels::MaxPool problem_;
};

/// 2×2 mean, stride 2, otherwise like MaxPool.
class AveragePool2x2 final : public Operation {
  public:
    AveragePool2x2(std::size_t channels, MapSize size, const Execution& execution);
    void run(const std::byte* input, std::byte* output, std::byte* scratch) override;
    std::string kernel() const override { return kernel_.name; }

  private:
    int threads_;
    kernels::Kernel<kernels::AveragePool2x2Function> kernel_;
    kernels::AveragePool2x2 problem_;
};

/// Adaptive average pool from `size` to `output_size`: reads floats in the blocked layout, writes
/// [batch][channels][height][width].
class AveragePool final : public Operation {
  public:
    AveragePool(std::size_t channels, MapSize size, MapSize output_size, const Execution& execution);
    void run(const std::byte* input, std::byte* output, std::byte* scratch) override;
    std::string kernel() const override { return kernel_.name; }

  private:
    int threads_;
    kernels::Kernel<kernels::AveragePoolFunction> kernel_;
    kernels::AveragePool problem_;
};

}  // namespace vgg19::layers
