// For sources that are built with AVX2 at least.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace vgg19::kernels {

/// The sum of a register's 32-bit values.
static inline std::int32_t add_lanes(__m256i values) {
    const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
    const __m128i two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
    return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 1)));
}

}  // namespace vgg19::kernels
