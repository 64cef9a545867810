// Pictures for work at a size of their own shape.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/command.h"
#include "vgg19/image.h"
#include "vgg19/map_size.h"
#include "vgg19/model.h"

namespace vgg19::tools {

/// The size with the same aspect ratio (rounded, at least 1 pixel) whose longer side is `long_side`.
MapSize with_long_side(MapSize size, std::size_t long_side);

/// with_long_side() of --long-side; without it, of the longer side, but at most `usual`.
MapSize long_side_option(const CommandLine& line, MapSize size, std::size_t usual);

/// The value of an option: a size at which maps can be computed. `other` is what else it may be, for
/// messages. Throws Error (usage).
MapSize feature_size_option(const CommandLine& line, const std::string& option,
                            const std::string& other = "");

/// Resized by antialiased bilinear interpolation; the same picture where it has this size.
Image resized(Image image, MapSize size);

/// (3, height, width) floats, as the model's inputs are, of the whole picture in its own size.
std::vector<float> input_of(const Image& image, const Preprocessing& preprocessing);

inline MapSize size_of(const Image& image) {
    return {image.height, image.width};
}

}  // namespace vgg19::tools
