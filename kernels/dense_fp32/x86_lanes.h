// For sources that are built with AVX2 at least.
#pragma once

#include <immintrin.h>

namespace vgg19::kernels {

/// The sum of a register's values, always in the same order.
static inline float add_lanes(__m256 values) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(values), _mm256_extractf128_ps(values, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

}  // namespace vgg19::kernels
