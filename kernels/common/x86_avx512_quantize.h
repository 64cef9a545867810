// kernels/common/quantize.h for AVX-512: min(255, round(max(0, value))) of each lane, ties to even; 0 for
// NaN.
#pragma once

#include <immintrin.h>

namespace vgg19::kernels {

/// The same of values that are not negative. Saturation on the way to bytes is the clamp to 255: what is too
/// large for an integer becomes 2^31 when converted, as unsigned.
static inline __m128i quantized_positive(__m512 values) {
    return _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(values));
}

static inline __m128i quantized(__m512 values) {
    return quantized_positive(_mm512_max_ps(values, _mm512_setzero_ps()));
}

}  // namespace vgg19::kernels
