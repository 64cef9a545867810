// Which calibration images judge what the others were used for.
#pragma once

#include <cstddef>

#include "converter/data/held_out.h"

namespace vgg19::converter {

/// One calibration image in eight is held out.
inline constexpr std::size_t held_out_period = 8;

inline bool is_held_out_of_refit(std::size_t image) {
    return is_held_out(image, held_out_period);
}

}  // namespace vgg19::converter
