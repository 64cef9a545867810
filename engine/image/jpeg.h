// JPEG: libjpeg-turbo if the build has it, else stb_image.
#pragma once

#include "engine/image/picture.h"

namespace vgg19 {

/// Throws Error (bad_input).
Picture open_jpeg(Bytes file, const ImageOptions& options);

}  // namespace vgg19
