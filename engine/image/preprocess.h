// From pixels to the network's input, as torchvision's transforms of VGG do it.
#pragma once

#include <cstddef>
#include <span>

#include "vgg19/image.h"
#include "vgg19/model.h"

namespace vgg19 {

/// torchvision's Resize and CenterCrop. For a square, the short side becomes round(size · resize_ratio), the
/// long side keeps the ratio (rounded down), and the middle `size` pixels are kept. For another size, the
/// picture's height or width, the one that is shorter in proportion, becomes round(size · resize_ratio) of
/// that side. Ties of either rounding go to the even number. Only the pixels that are kept are computed, so
/// that a sliver of 1 × 100,000 pixels is no dearer than another picture. Throws Error (usage) for an empty
/// picture, a stride below width · 3, a size of zero, and a resize_ratio that is below 1 after rounding or
/// above 1000.
Image resize_and_crop(const ImageView& image, double resize_ratio, MapSize size);

/// resize_and_crop, then ToTensor and Normalize: nchw (3, height, width) = (sample / 255 − mean) / deviation.
/// Throws as resize_and_crop does, and Error (usage) where nchw has another size. `size` stands for
/// preprocessing.input_size.
void preprocess(const ImageView& image, const Preprocessing& preprocessing, MapSize size,
                std::span<float> nchw);

}  // namespace vgg19
