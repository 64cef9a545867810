#include "kernels/common/cache_sizes.h"

#include <unistd.h>

namespace vgg19::kernels {

std::size_t second_level_cache_bytes() {
    constexpr std::size_t usual = std::size_t{512} << 10U;
#ifdef _SC_LEVEL2_CACHE_SIZE
    const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
    if (bytes > 0) return static_cast<std::size_t>(bytes);
#endif
    return usual;
}

}  // namespace vgg19::kernels
