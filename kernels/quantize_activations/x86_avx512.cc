#include "kernels/common/x86_avx512_lanes.h"
#include "kernels/quantize_activations/quantize_activations.h"
#include "kernels/quantize_activations/scale.h"

namespace vgg19::kernels {

namespace {

constexpr std::size_t step = 16;

float positive_maximum(const float* input, std::size_t count) {
    // Four registers, since a maximum takes several cycles.
    __m512 maxima[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    std::size_t i = 0;
    for (; i + 4 * step <= count; i += 4 * step) {
        for (std::size_t k = 0; k < 4; ++k) {
            maxima[k] = _mm512_max_ps(maxima[k], _mm512_loadu_ps(input + i + k * step));
        }
    }
    for (; i + step <= count; i += step) maxima[0] = _mm512_max_ps(maxima[0], _mm512_loadu_ps(input + i));
    // Lanes that are not loaded are zero.
    maxima[1] = _mm512_max_ps(maxima[1], _mm512_maskz_loadu_ps(first_lanes_of_16(count - i), input + i));
    return _mm512_reduce_max_ps(
        _mm512_max_ps(_mm512_max_ps(maxima[0], maxima[1]), _mm512_max_ps(maxima[2], maxima[3])));
}

/// Saturation on the way to bytes is the clamp to 255.
__m128i quantize(__m512 input, __m512 inverse) {
    const __m512 product = _mm512_mul_ps(_mm512_max_ps(input, _mm512_setzero_ps()), inverse);
    return _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(product));
}

}  // namespace

float quantize_activations_avx512(const float* input, std::size_t count, std::uint8_t* output) {
    const float scale = scale_of_maximum(positive_maximum(input, count));
    const __m512 inverse = _mm512_set1_ps(1.0F / scale);
    std::size_t i = 0;
    for (; i + step <= count; i += step) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(output + i),
                         quantize(_mm512_loadu_ps(input + i), inverse));
    }
    const __mmask16 rest = first_lanes_of_16(count - i);
    _mm_mask_storeu_epi8(output + i, rest, quantize(_mm512_maskz_loadu_ps(rest, input + i), inverse));
    return scale;
}

}  // namespace vgg19::kernels
