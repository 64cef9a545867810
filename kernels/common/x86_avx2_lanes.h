// Helpers for AVX2 kernels: the first lanes of a register, and sums and maxima over its lanes.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace vgg19::kernels {

/// A mask for _mm256_maskload_ps and the like: all bits of the first `lanes` lanes are set. lanes ≤ 8.
static inline __m256i first_lanes(std::size_t lanes) {
    alignas(32) static constexpr std::int32_t window[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(window + 8 - lanes));
}

static inline float maximum_of_lanes(__m256 values) {
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(values), _mm256_extractf128_ps(values, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

static inline double sum_of_lanes(__m256d values) {
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(values), _mm256_extractf128_pd(values, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

}  // namespace vgg19::kernels
