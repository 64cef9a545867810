#include "engine/model/users_cache.h"

#include <cstdlib>

#include "vgg19/error.h"

namespace vgg19::model {

std::filesystem::path users_cache() {
    const char* cache = std::getenv("XDG_CACHE_HOME");
    if (cache != nullptr && *cache == '/') return std::filesystem::path(cache) / "vgg19";
    const char* home = std::getenv("HOME");
    if (home != nullptr && *home == '/') return std::filesystem::path(home) / ".cache" / "vgg19";
    throw Error(ErrorKind::failed,
                "there is no cache folder: neither XDG_CACHE_HOME nor HOME names a folder from the root");
}

}  // namespace vgg19::model
