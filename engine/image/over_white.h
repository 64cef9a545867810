// Blends transparent pixels over white.
#pragma once

#include <cstdint>

namespace vgg19 {

/// `sample` · α + 255 · (1 − α) with α = `alpha` / 255, rounded. Arguments and result are 0 to 255.
inline std::uint8_t over_white(unsigned sample, unsigned alpha) {
    return static_cast<std::uint8_t>((sample * alpha + 255U * (255U - alpha) + 127U) / 255U);
}

}  // namespace vgg19
