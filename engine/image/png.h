// Decodes PNG pixels, row by row, with no more memory than the pixels take.
#pragma once

#include "engine/image/picture.h"

namespace vgg19 {

/// Samples of 16 bits are reduced to their upper 8, smaller ones scaled; transparent pixels are blended over
/// white. Data after the picture are not unpacked: beyond a megabyte they are an error. Throws Error
/// (bad_input).
Picture open_png(Bytes file, const ImageOptions& options);

}  // namespace vgg19
