// Helpers for rounding weights to integers, written so that compilers vectorise them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

namespace vgg19::converter {

/// Compares the bits of the floats without their signs: these have the order of the magnitudes, and compilers
/// vectorise an integer maximum. NaN and infinity compare greater than all other values.
inline float largest_magnitude(std::span<const float> values) {
    std::int32_t largest = 0;
    for (const float value : values) {
        largest = std::max(largest, std::bit_cast<std::int32_t>(value) & 0x7fffffff);
    }
    return std::bit_cast<float>(largest);
}

/// Rounds to the nearest integer, halves to even, for magnitudes below 2^22, by adding 1.5 · 2^23, where
/// floats have a spacing of 1. Vectorises without SSE4.1's rounding instruction.
inline float round_to_even(float value) {
    constexpr float step_is_one = 12582912.0F;
    return (value + step_is_one) - step_is_one;
}

}  // namespace vgg19::converter
