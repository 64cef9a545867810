// What a planner wants to know of the CPU's caches.
#pragma once

#include <cstddef>

namespace vgg19::kernels {

/// Bytes of the second-level cache of one core; 512 KiB where the system does not tell.
std::size_t second_level_cache_bytes();

}  // namespace vgg19::kernels
