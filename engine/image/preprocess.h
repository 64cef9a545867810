// Turns pixels into the network's input, as torchvision's transforms for VGG do.
#pragma once

#include <cstddef>
#include <span>

#include "vgg19/image.h"
#include "vgg19/model.h"

namespace vgg19 {

/// torchvision's Resize and CenterCrop. For a square, the short side becomes round(size · resize_ratio), the
/// long side keeps the aspect ratio (rounded down), and the central `size` pixels are kept. For other sizes,
/// the height or the width, whichever is smaller in relation to `size`, becomes round(resize_ratio times that
/// side of `size`). Halves round to even. Only the kept pixels are computed, so that a picture of 1 × 100,000
/// pixels costs no more than others. Throws Error (usage) for an empty picture, a stride below width · 3, a
/// size of zero, and a resize_ratio that is below 1 after rounding or above 1000.
Image resize_and_crop(const ImageView& image, double resize_ratio, MapSize size);

/// resize_and_crop, then ToTensor and Normalize: nchw (3, height, width) = (sample · range / 255 − mean) /
/// deviation, with the channels in preprocessing.channel_order.
/// Throws what resize_and_crop throws, and Error (usage) if nchw has another size. `size` is
/// preprocessing.input_size.
void preprocess(const ImageView& image, const Preprocessing& preprocessing, MapSize size,
                std::span<float> nchw);

}  // namespace vgg19
