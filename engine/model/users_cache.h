// Where files are kept that can be made again.
#pragma once

#include <filesystem>

namespace vgg19::model {

/// The user's folder for this project: $XDG_CACHE_HOME/vgg19, or ~/.cache/vgg19. Need not exist. Throws Error
/// (failed) if neither variable names a folder from the root.
std::filesystem::path users_cache();

}  // namespace vgg19::model
