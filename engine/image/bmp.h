// The pixels of BMP. stb_image leaves out run lengths, takes the unused fourth byte for alpha, and gets the
// palettes of OS/2 and the masks of some headers wrong.
#pragma once

#include "engine/image/bmp_header.h"
#include "vgg19/image.h"

namespace vgg19 {

/// Samples of fewer than 8 bits are scaled to 0…255 and rounded down, as Pillow does it; alpha, where a mask
/// names it and not all of it is 0, is laid over white. Pixels that run lengths leave out are of colour 0.
/// Throws Error (bad_input) for a file that is cut short.
Image decode_bmp(Bytes file, const BmpHeader& header);

}  // namespace vgg19
