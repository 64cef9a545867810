#include "kernels/common/x86_avx2_lanes.h"
#include "kernels/softmax/exponential.h"
#include "kernels/softmax/softmax.h"

namespace vgg19::kernels {

namespace {

constexpr std::size_t step = 4;

float maximum_of(const float* values, std::size_t count) {
    __m256 maxima = _mm256_set1_ps(values[0]);
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8) maxima = _mm256_max_ps(maxima, _mm256_loadu_ps(values + i));
    const __m256i mask = first_lanes(count - i);
    const __m256 rest = _mm256_maskload_ps(values + i, mask);
    maxima = _mm256_max_ps(maxima, _mm256_blendv_ps(maxima, rest, _mm256_castsi256_ps(mask)));
    return maximum_of_lanes(maxima);
}

__m256d exponential(__m256d x) {
    x = _mm256_max_pd(x, _mm256_set1_pd(smallest_exponent));
    // Adding 1.5 · 2^52 rounds to an integer, which then stands in the low bits.
    const __m256d shift = _mm256_set1_pd(0x1.8p52);
    const __m256d shifted = _mm256_fmadd_pd(x, _mm256_set1_pd(inverse_ln2), shift);
    const __m256d n = _mm256_sub_pd(shifted, shift);
    const __m256d r = _mm256_fnmadd_pd(n, _mm256_set1_pd(ln2), x);
    __m256d power = _mm256_set1_pd(taylor[0]);
    for (std::size_t k = 1; k < 8; ++k) power = _mm256_fmadd_pd(power, r, _mm256_set1_pd(taylor[k]));
    // 2^n: n is added to the exponent, whose lowest bit is bit 52.
    const __m256i exponent = _mm256_slli_epi64(_mm256_castpd_si256(shifted), 52);
    return _mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(power), exponent));
}

}  // namespace

void softmax_avx2(const float* logits, std::size_t count, float* probabilities) {
    if (count == 0) return;
    const __m256d maximum = _mm256_set1_pd(static_cast<double>(maximum_of(logits, count)));
    const auto powers_of = [&](__m128 values) {
        return exponential(_mm256_sub_pd(_mm256_cvtps_pd(values), maximum));
    };
    __m256d sums = _mm256_setzero_pd();
    std::size_t i = 0;
    for (; i + step <= count; i += step) {
        const __m256d powers = powers_of(_mm_loadu_ps(logits + i));
        _mm_storeu_ps(probabilities + i, _mm256_cvtpd_ps(powers));
        sums = _mm256_add_pd(sums, powers);
    }
    const __m128i mask = _mm256_castsi256_si128(first_lanes(count - i));
    const __m256d powers = powers_of(_mm_maskload_ps(logits + i, mask));
    _mm_maskstore_ps(probabilities + i, mask, _mm256_cvtpd_ps(powers));
    sums = _mm256_add_pd(sums, _mm256_and_pd(powers, _mm256_castsi256_pd(_mm256_cvtepi32_epi64(mask))));

    const auto inverse = static_cast<float>(1 / sum_of_lanes(sums));
    for (i = 0; i < count; ++i) probabilities[i] *= inverse;
}

}  // namespace vgg19::kernels
