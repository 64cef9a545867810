// The photograph that variants classify.
#pragma once

#include <filesystem>
#include <optional>

#include "vgg19/image.h"

namespace vgg19::bench {

/// The file's, or the bundled landscape (assets/landscape.jpg). Throws Error (bad_input).
Image bench_image(const std::optional<std::filesystem::path>& file);

}  // namespace vgg19::bench
