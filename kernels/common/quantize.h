// The last step on the way to 8 bits, one value at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace vgg19::kernels {

/// min(255, round(max(0, value))), ties to even; 0 for NaN.
static inline std::uint8_t quantized(float value) {
    return static_cast<std::uint8_t>(std::min(std::nearbyint(std::max(0.0F, value)), 255.0F));
}

}  // namespace vgg19::kernels
