// Decodes the first picture of a GIF.
#pragma once

#include "engine/image/picture.h"

namespace vgg19 {

/// Reads a GIF 87a or 89a up to its first picture, which is placed on the canvas. Transparent pixels are
/// white; those outside the picture have the background colour, or are white if that is the palette's first.
/// Data after the last pixel are ignored. Throws Error (bad_input).
Picture open_gif(Bytes file, const ImageOptions& options);

}  // namespace vgg19
