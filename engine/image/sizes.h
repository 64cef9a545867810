// Decisions that depend on the size of a picture.
#pragma once

#include "engine/image/picture.h"
#include "vgg19/image.h"

namespace vgg19 {

/// Whether the decoder can produce the picture at a fraction of its size.
enum class Reducible : unsigned char { no, yes };

/// Throws Error (bad_input) for an empty picture and for one beyond the limits.
void check_size(const PixelSize& size, const ImageLimits& limits, Reducible reducible = Reducible::no);

/// The same for memory and work, which an orientation other than 1 adds to.
ImageCost cost_of(const Picture& picture, const ImageOptions& options);
void check_cost(const ImageCost& cost, const ImageLimits& limits);

/// 1 to decode the picture at full size, else 2, 4 or 8: the largest that keeps the short side long enough.
unsigned reduction_of(const PixelSize& size, const ImageOptions& options);

}  // namespace vgg19
