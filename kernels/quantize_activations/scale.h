// The scale of a range, for every kernel of this family.
#pragma once

#include <limits>

namespace vgg19::kernels {

/// Below the smallest normal number a scale has lost bits and its inverse may be infinite: such a range
/// counts as zero.
static inline float scale_of_maximum(float maximum) {
    constexpr float smallest = std::numeric_limits<float>::min();
    const float scale = maximum / 255.0F;
    return scale < smallest ? 1.0F : scale;
}

}  // namespace vgg19::kernels
