// Which calibration images judge what the others were used for.
#pragma once

#include <cstddef>

namespace vgg19::converter {

/// One calibration image in eight is held out.
inline constexpr std::size_t held_out_period = 8;

constexpr bool is_held_out_of_refit(std::size_t image) {
    return image % held_out_period == held_out_period - 1;
}

}  // namespace vgg19::converter
