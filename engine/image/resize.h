// Antialiased bilinear resizing, bit-identical to Pillow's for 8-bit images.
#pragma once

#include "vgg19/image.h"

namespace vgg19 {

/// A rectangle of a picture, in pixels.
struct Box {
    std::size_t left = 0;
    std::size_t top = 0;
    std::size_t width = 0;
    std::size_t height = 0;
};

/// Resizes `image` (not empty) to `width` × `height`, but computes only the part `box` of the result.
///
/// Along each axis, an output sample is a weighted mean of the input samples within `support` of its centre:
///     scale = input / output    support = max(scale, 1)    centre = (i + ½)·scale
///     weight of sample j ∝ max(0, 1 − |j + ½ − centre| / support)
/// Weights are rounded to 22 fractional bits; rows are resized first, rounded to 8 bits, then columns.
Image resize_bilinear(const ImageView& image, std::size_t width, std::size_t height, const Box& box);

}  // namespace vgg19
