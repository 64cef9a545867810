// kernels/common/quantize.h for AVX2: min(255, round(max(0, value))) of each lane, ties to even; 0 for NaN.
#pragma once

#include <immintrin.h>

namespace vgg19::kernels {

/// Of values that are not negative: as 32-bit integers. Clamped before the conversion, which makes a negative
/// number of what is too large.
static inline __m256i quantized_integers(__m256 values) {
    return _mm256_cvtps_epi32(_mm256_min_ps(values, _mm256_set1_ps(255.0F)));
}

/// Of values that are not negative: eight bytes, in the low half.
static inline __m128i quantized_positive(__m256 values) {
    const __m256i integers = quantized_integers(values);
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(integers), _mm256_extracti128_si256(integers, 1));
    return _mm_packus_epi16(words, words);
}

/// Sixteen bytes.
static inline __m128i quantized(__m256 lower, __m256 upper) {
    const __m256i lower_integers = quantized_integers(_mm256_max_ps(lower, _mm256_setzero_ps()));
    const __m256i upper_integers = quantized_integers(_mm256_max_ps(upper, _mm256_setzero_ps()));
    // Packing works on each 128-bit half by itself; the permutation puts the groups of four back in order.
    const __m256i words =
        _mm256_permute4x64_epi64(_mm256_packs_epi32(lower_integers, upper_integers), _MM_SHUFFLE(3, 1, 2, 0));
    return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

}  // namespace vgg19::kernels
