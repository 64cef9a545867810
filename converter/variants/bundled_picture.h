// The default photograph, for calibrating variants and for the bench.
#pragma once

#include "vgg19/image.h"

namespace vgg19::converter {

/// A landscape: assets/landscape.jpg.
Image bundled_picture();

}  // namespace vgg19::converter
