// Colours of 8-bit samples, and pictures of one.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "engine/image/picture.h"

namespace vgg19 {

using Colour = std::array<std::uint8_t, 3>;  ///< red, green, blue

/// A picture whose pixels all have that colour.
inline Image filled(const PixelSize& size, const Colour& colour) {
    Image image{std::vector<std::uint8_t>(pixels_of(size) * 3), size.width, size.height};
    for (std::size_t i = 0; i < image.rgb.size(); i += 3) std::copy_n(colour.begin(), 3, &image.rgb[i]);
    return image;
}

}  // namespace vgg19
