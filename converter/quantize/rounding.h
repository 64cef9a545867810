// What rounding weights to integers needs, in forms that compilers vectorise.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

namespace vgg19::converter {

/// The bits of a float without its sign are ordered as the magnitudes are, and integers have a maximum that
/// compilers vectorise. NaN and infinity come out on top.
inline float largest_magnitude(std::span<const float> values) {
    std::int32_t largest = 0;
    for (const float value : values) {
        largest = std::max(largest, std::bit_cast<std::int32_t>(value) & 0x7fffffff);
    }
    return std::bit_cast<float>(largest);
}

/// To the nearest whole number, ties to even, for magnitudes below 2^22: at 1.5 · 2^23 a float's step is 1.
/// Vectorises without SSE4.1's rounding instruction.
inline float round_to_even(float value) {
    constexpr float step_is_one = 12582912.0F;
    return (value + step_is_one) - step_is_one;
}

}  // namespace vgg19::converter
