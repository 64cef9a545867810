#include "kernels/common/cache_sizes.h"

#include <unistd.h>

#include <fstream>
#include <string>

namespace vgg19::kernels {

namespace {

[[maybe_unused]] std::size_t known_size(int name) {
    const auto bytes = sysconf(name);
    return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

/// The size of one of the first CPU's caches as the operating system lists them, such as "32768K"; 0 if it
/// does not say. The C library's figure for L3 is that of the whole CPU on some CPUs with several L3 caches.
std::size_t listed_third_level() {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index3/";
    unsigned level = 0;
    std::size_t size = 0;
    char unit = 0;
    std::ifstream(folder + "level") >> level;
    std::ifstream(folder + "size") >> size >> unit;
    return level == 3 && unit == 'K' ? size << 10U : 0;
}

CacheSizes read_cache_sizes() {
#ifdef _SC_LEVEL2_CACHE_SIZE
    return {known_size(_SC_LEVEL1_DCACHE_SIZE), known_size(_SC_LEVEL2_CACHE_SIZE), listed_third_level()};
#else
    return {0, 0, listed_third_level()};
#endif
}

}  // namespace

CacheSizes cache_sizes() {
    static const CacheSizes sizes = read_cache_sizes();
    return sizes;
}

std::size_t second_level_cache_bytes() {
    constexpr std::size_t usual = std::size_t{512} << 10U;
    const std::size_t known = cache_sizes().l2;
    return known > 0 ? known : usual;
}

}  // namespace vgg19::kernels
