// JPEG: libjpeg-turbo if the build has it, else stb_image.
#pragma once

#include "engine/image/bytes.h"
#include "vgg19/image.h"

namespace vgg19 {

/// Throws Error (bad_input).
Image decode_jpeg(Bytes file, const ImageOptions& options);

}  // namespace vgg19
