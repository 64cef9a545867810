// Helpers for AVX-512 kernels: masks of the first lanes of a register.
#pragma once

#include <immintrin.h>

#include <cstddef>

namespace vgg19::kernels {

/// The mask of the first `lanes` of sixteen lanes. lanes ≤ 16.
static inline __mmask16 first_lanes_of_16(std::size_t lanes) {
    return static_cast<__mmask16>((1U << lanes) - 1U);
}

/// The mask of the first `lanes` of eight lanes. lanes ≤ 8.
static inline __mmask8 first_lanes_of_8(std::size_t lanes) {
    return static_cast<__mmask8>((1U << lanes) - 1U);
}

}  // namespace vgg19::kernels
