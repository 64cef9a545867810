// WebP, through libwebp.
#pragma once

#include "engine/image/bytes.h"
#include "vgg19/image.h"

namespace vgg19 {

/// Lossy and lossless; the first frame of an animation, at its place on an empty canvas; transparent pixels
/// over white. Throws Error (bad_input).
Image decode_webp(Bytes file, const ImageOptions& options);

}  // namespace vgg19
