// Decodes BMP pixels. stb_image lacks run-length coding, reads the unused fourth byte as alpha, and misreads
// OS/2 palettes and the masks of some headers.
#pragma once

#include "engine/image/picture.h"

namespace vgg19 {

/// Samples of fewer than 8 bits are scaled to 0…255 and rounded down, as Pillow does. If the header has an
/// alpha mask and any alpha is not 0, the picture is blended over white. Pixels that run lengths skip get
/// colour 0. Throws Error (bad_input).
Picture open_bmp(Bytes file, const ImageOptions& options);

}  // namespace vgg19
