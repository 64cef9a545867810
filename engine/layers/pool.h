// The pools, on all threads of a session.
#pragma once

#include <cstddef>
#include <string>

#include "engine/layers/execution.h"
#include "engine/layers/operation.h"
#include "kernels/average_pool/average_pool.h"
#include "kernels/common/pool_2x2.h"
#include "kernels/isa/kernel_list.h"
#include "vgg19/map_size.h"

namespace vgg19::layers {

/// A 2×2 pool of stride 2 over `channels` maps of `size`, without its memory.
kernels::Pool2x2 pool_2x2_problem(std::size_t channels, MapSize size, const Execution& execution);

/// One of kernels::max_pool_kernels() or average_pool_2x2_kernels(): `channels` maps of `size`, floats in the
/// blocked layout, become maps of size.halved().
class Pool2x2 final : public Operation {
  public:
    Pool2x2(kernels::Kernel<kernels::Pool2x2Function> kernel, std::size_t channels, MapSize size,
            const Execution& execution);
    void run(const std::byte* input, std::byte* output, std::byte* scratch) override;
    std::string kernel() const override { return kernel_.name; }

  private:
    int threads_;
    kernels::Kernel<kernels::Pool2x2Function> kernel_;
    kernels::Pool2x2 problem_;
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
