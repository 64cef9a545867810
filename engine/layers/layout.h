// Between the blocked layout of activations and the plain one of a session's outputs, and the bits of a ReLU,
// on all threads of a session (kernels/layout, kernels/relu).
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/layers/execution.h"
#include "vgg19/map_size.h"

namespace vgg19::layers {

/// `channels` maps of `size` in the blocked layout → scale times these, as [batch][channels][height][width].
void to_plain(std::size_t channels, MapSize size, float scale, const float* blocked, float* plain,
              const Execution& execution);

/// The other way: to the sum of what is there and of `plain`, if it `adds`. Values whose bit in `passes`
/// (kernels/relu/relu.h) is not set become zero; null lets all pass.
void to_blocked(std::size_t channels, MapSize size, const float* plain, bool adds, const std::uint8_t* passes,
                float* blocked, const Execution& execution);

/// Of blocked maps: which values are positive, a bit each.
void record_positive(std::size_t values, const float* blocked, std::uint8_t* positive,
                     const Execution& execution);
/// Sets blocked values without a bit to zero.
void apply_positive(std::size_t values, const std::uint8_t* positive, float* blocked,
                    const Execution& execution);

}  // namespace vgg19::layers
