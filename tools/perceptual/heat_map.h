// Shows in colours where two pictures differ.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "vgg19/image.h"

namespace vgg19::tools {

using Colour = std::array<std::uint8_t, 3>;  // red, green, blue

/// From black (0) through violet, red and orange to pale yellow (1), ever lighter, so that it reads in grey
/// too.
Colour heat_colour(double share);

/// The picture in grey and dimmed, with each pixel's heat in colour over it: `heat` has a value for each
/// pixel, row by row; 0 shows the picture alone, `hottest` (above 0) and more the colour of 1 alone.
Image heat_map(const ImageView& picture, std::span<const float> heat, double hottest);

}  // namespace vgg19::tools
