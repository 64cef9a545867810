// Binary PGM and PPM. stb_image misreads them unless the largest sample is 255.
#pragma once

#include "engine/image/picture.h"

namespace vgg19 {

/// Netpbm's formats P5 (grey) and P6 (colour). Samples are scaled from 0…largest to 0…255. Throws Error
/// (bad_input); decoding does for samples above the largest.
Picture open_pnm(Bytes file, const ImageOptions& options);

}  // namespace vgg19
