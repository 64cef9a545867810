// The photograph that calibrates variants, and that the bench classifies, where nobody gives another.
#pragma once

#include "vgg19/image.h"

namespace vgg19::converter {

/// A landscape: assets/landscape.jpg.
Image bundled_picture();

}  // namespace vgg19::converter
