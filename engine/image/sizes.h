// What is decided about a picture from its size.
#pragma once

#include "engine/image/bytes.h"
#include "vgg19/image.h"

namespace vgg19 {

/// Whether its decoder can give it at a fraction of its sides.
enum class Reducible : unsigned char { no, yes };

/// Throws Error (bad_input) for no pixels and for more than the limits allow.
void check_size(const PixelSize& size, const ImageLimits& limits, Reducible reducible = Reducible::no);

/// 1 for a picture to decode at its full size, else 2, 4 or 8: the most that leaves its short side long
/// enough.
unsigned reduction_of(const PixelSize& size, const ImageOptions& options);

}  // namespace vgg19
