// The sizes of the CPU's caches, for planning.
#pragma once

#include <cstddef>

namespace vgg19::kernels {

/// The size in bytes of a core's L2 cache; 512 KiB if unknown.
std::size_t second_level_cache_bytes();

}  // namespace vgg19::kernels
