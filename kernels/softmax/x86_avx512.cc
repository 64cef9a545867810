#include "kernels/common/x86_avx512_lanes.h"
#include "kernels/softmax/exponential.h"
#include "kernels/softmax/softmax.h"

namespace vgg19::kernels {

namespace {

constexpr std::size_t step = 8;

float maximum_of(const float* values, std::size_t count) {
    __m512 maxima = _mm512_set1_ps(values[0]);
    std::size_t i = 0;
    for (; i + 16 <= count; i += 16) maxima = _mm512_max_ps(maxima, _mm512_loadu_ps(values + i));
    const __mmask16 rest = first_lanes_of_16(count - i);
    maxima = _mm512_max_ps(maxima, _mm512_mask_loadu_ps(maxima, rest, values + i));
    return _mm512_reduce_max_ps(maxima);
}

__m512d exponential(__m512d x) {
    x = _mm512_max_pd(x, _mm512_set1_pd(smallest_exponent));
    const __m512d quotient = _mm512_mul_pd(x, _mm512_set1_pd(inverse_ln2));
    const __m512d n = _mm512_roundscale_pd(quotient, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m512d r = _mm512_fnmadd_pd(n, _mm512_set1_pd(ln2), x);
    __m512d power = _mm512_set1_pd(taylor[0]);
    for (std::size_t k = 1; k < 8; ++k) power = _mm512_fmadd_pd(power, r, _mm512_set1_pd(taylor[k]));
    return _mm512_scalef_pd(power, n);
}

}  // namespace

void softmax_avx512(const float* logits, std::size_t count, float* probabilities) {
    if (count == 0) return;
    const __m512d maximum = _mm512_set1_pd(static_cast<double>(maximum_of(logits, count)));
    const auto powers_of = [&](__m256 values) {
        return exponential(_mm512_sub_pd(_mm512_cvtps_pd(values), maximum));
    };
    __m512d sums = _mm512_setzero_pd();
    std::size_t i = 0;
    for (; i + step <= count; i += step) {
        const __m512d powers = powers_of(_mm256_loadu_ps(logits + i));
        _mm256_storeu_ps(probabilities + i, _mm512_cvtpd_ps(powers));
        sums = _mm512_add_pd(sums, powers);
    }
    const __mmask8 rest = first_lanes_of_8(count - i);
    const __m512d powers = powers_of(_mm256_maskz_loadu_ps(rest, logits + i));
    _mm256_mask_storeu_ps(probabilities + i, rest, _mm512_cvtpd_ps(powers));
    sums = _mm512_mask_add_pd(sums, rest, sums, powers);

    const auto inverse = static_cast<float>(1 / _mm512_reduce_add_pd(sums));
    for (i = 0; i < count; ++i) probabilities[i] *= inverse;
}

}  // namespace vgg19::kernels
