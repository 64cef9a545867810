// Turns pixels into the network's input, as torchvision's transforms for VGG do.
#pragma once

#include <cstddef>
#include <span>

#include "vgg19/image.h"
#include "vgg19/model.h"

namespace vgg19 {

/// torchvision's Resize and CenterCrop: the short side becomes round(size · resize_ratio), the long side
/// keeps the aspect ratio (rounded down), and the central `size` × `size` pixels are kept. Halves round to
/// even. Only the kept pixels are computed, so that a picture of 1 × 100,000 pixels costs no more than
/// others. Throws Error (usage) for an empty picture, a stride below width · 3, a size of zero, and a
/// resize_ratio that is below 1 after rounding or above 1000.
Image resize_and_crop(const ImageView& image, double resize_ratio, std::size_t size);

/// resize_and_crop, then ToTensor and Normalize: nchw (3, size, size) = (sample / 255 − mean) / deviation.
/// Throws what resize_and_crop throws, and Error (usage) if nchw has another size. `size` is
/// preprocessing.input_size.
void preprocess(const ImageView& image, const Preprocessing& preprocessing, std::size_t size,
                std::span<float> nchw);

}  // namespace vgg19
