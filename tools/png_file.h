// Writes pictures as PNG files.
#pragma once

#include <filesystem>

#include "vgg19/image.h"

namespace vgg19::tools {

/// 8-bit RGB, crash-safely: `path` holds either its old content or all of the new. Throws Error (failed), and
/// (usage) for a picture without pixels.
void write_png(const std::filesystem::path& path, const ImageView& image);

/// Before any work: check_destination(), and that the name ends in .png, since other formats are not written.
/// Throws Error (usage).
void check_png_destination(const std::filesystem::path& path);

}  // namespace vgg19::tools
