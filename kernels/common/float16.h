// Half precision (IEEE binary16), as bits in a 16-bit integer.
#pragma once

#include <bit>
#include <cstdint>

namespace vgg19::kernels {

/// The value of any half, exact; a NaN gives a NaN.
inline float float16_value(std::uint16_t half) {
    // A half's exponent and mantissa, moved to where a float has them, make a float of 2^-112 times the
    // half's value, because the two exponents have different offsets. Adding to the exponent corrects this. A
    // subnormal half becomes a mantissa after a one of 2^-14, which is then subtracted: no float is
    // subnormal, since those may be read as zeros.
    constexpr std::uint32_t offsets_apart = 112U << 23U;
    constexpr std::uint32_t smallest_normal = 0x0400;
    constexpr std::uint32_t infinity = 0x7C00;
    const std::uint32_t sign = (half & 0x8000U) << 16U;
    const std::uint32_t magnitude = half & 0x7FFFU;
    if (magnitude >= infinity) return std::bit_cast<float>(sign | 0x7F800000U | (magnitude & 0x3FFU) << 13U);
    if (magnitude >= smallest_normal) {
        return std::bit_cast<float>(sign | ((magnitude << 13U) + offsets_apart));
    }
    const float value =
        std::bit_cast<float>(((magnitude + smallest_normal) << 13U) + offsets_apart) - 0x1p-14F;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(value));
}

/// The nearest half, ties to even, of a non-negative value; infinity beyond the largest half, 65504.
inline std::uint16_t nearest_float16(float value) {
    constexpr std::uint32_t smallest_normal = 113U << 23U;    // 2^-14
    constexpr std::uint32_t rounds_to_infinity = 0x477FF000;  // 65520
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if (bits >= rounds_to_infinity) return bits > 0x7F800000U ? 0x7E00 : 0x7C00;
    if (bits < smallest_normal) {
        // From 1/2 on, neighbouring floats are as far apart as subnormal halves, so that the addition rounds
        // to a half.
        return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value + 0.5F) & 0x7FFU);
    }
    // Drops the lowest thirteen bits of the mantissa. Before that, adds half of the last remaining bit, minus
    // one if that bit is 0; this rounds to nearest, ties to even.
    const std::uint32_t odd = bits >> 13U & 1U;
    return static_cast<std::uint16_t>((bits - (112U << 23U) + 0xFFFU + odd) >> 13U);
}

}  // namespace vgg19::kernels
