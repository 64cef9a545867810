// The pools' gradients with respect to their input, on all threads of a session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/layers/execution.h"
#include "engine/layers/operation.h"
#include "kernels/pool_gradient/pool_gradient.h"
#include "vgg19/map_size.h"

namespace vgg19::layers {

/// A max-pool as Pool2x2 (pool.h), and records in `choices`, of max_pool_choices_bytes() bytes, what its
/// gradient needs.
std::unique_ptr<Operation> make_recording_max_pool(std::size_t channels, MapSize size, std::uint8_t* choices,
                                                   const Execution& execution);
std::size_t max_pool_choices_bytes(std::size_t channels, MapSize size, const Execution& execution);

/// Of a 2×2 pool over `channels` maps of `size`, in the blocked layout. `choices` are a max-pool's; null is
/// an average pool. Values of the result whose bit in `passes` is not set become zero; null lets all pass.
void pool_gradient(std::size_t channels, MapSize size, const float* pooled, const std::uint8_t* choices,
                   const std::uint8_t* passes, float* gradient, const Execution& execution);

/// Of an adaptive average pool from `size` to `pooled_size`: [batch][channels][pooled pixels] → blocked.
void adaptive_pool_gradient(std::size_t channels, MapSize size, MapSize pooled_size, const float* pooled,
                            const std::uint8_t* passes, float* gradient, const Execution& execution);

}  // namespace vgg19::layers
