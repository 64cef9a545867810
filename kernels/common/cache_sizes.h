// The sizes of the CPU's caches, for planning.
#pragma once

#include <cstddef>

namespace vgg19::kernels {

/// In bytes, as the operating system or CPUID says; 0 if unknown.
struct CacheSizes {
    std::size_t l1 = 0;  ///< data, of a core
    std::size_t l2 = 0;  ///< of a core
    std::size_t l3 = 0;  ///< of the cores that share it
};
CacheSizes cache_sizes();

/// The size in bytes of a core's L2 cache; 512 KiB if unknown.
std::size_t second_level_cache_bytes();

}  // namespace vgg19::kernels
