// WebP, through libwebp.
#pragma once

#include "engine/image/picture.h"

namespace vgg19 {

/// Reads lossy and lossless files; of an animation, the first frame at its position on an empty canvas.
/// Transparent pixels are blended over white. Throws Error (bad_input).
Picture open_webp(Bytes file, const ImageOptions& options);

}  // namespace vgg19
