#include "kernels/common/x86_avx2_lanes.h"
#include "kernels/quantize_activations/quantize_activations.h"
#include "kernels/quantize_activations/scale.h"

namespace vgg19::kernels {

namespace {

constexpr std::size_t step = 8;

float positive_maximum(const float* input, std::size_t count) {
    // Four registers, since a maximum takes several cycles.
    __m256 maxima[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    std::size_t i = 0;
    for (; i + 4 * step <= count; i += 4 * step) {
        for (std::size_t k = 0; k < 4; ++k) {
            maxima[k] = _mm256_max_ps(maxima[k], _mm256_loadu_ps(input + i + k * step));
        }
    }
    for (; i + step <= count; i += step) maxima[0] = _mm256_max_ps(maxima[0], _mm256_loadu_ps(input + i));
    // Lanes that are not loaded are zero.
    maxima[1] = _mm256_max_ps(maxima[1], _mm256_maskload_ps(input + i, first_lanes(count - i)));
    return maximum_of_lanes(
        _mm256_max_ps(_mm256_max_ps(maxima[0], maxima[1]), _mm256_max_ps(maxima[2], maxima[3])));
}

__m256i quantize(__m256 input, __m256 inverse) {
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_max_ps(input, _mm256_setzero_ps()), inverse));
}

/// Eight bytes in the low half; saturation is the clamp to 255.
__m128i narrow(__m256i values) {
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
    return _mm_packus_epi16(words, words);
}

/// 32 bytes. Packing works on each 128-bit half by itself; the permutation puts the groups of four back in
/// order.
__m256i narrow(__m256i a, __m256i b, __m256i c, __m256i d) {
    const __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

}  // namespace

float quantize_activations_avx2(const float* input, std::size_t count, std::uint8_t* output) {
    const float scale = scale_of_maximum(positive_maximum(input, count));
    const __m256 inverse = _mm256_set1_ps(1.0F / scale);
    const auto quantize_at = [&](std::size_t i) { return quantize(_mm256_loadu_ps(input + i), inverse); };
    std::size_t i = 0;
    for (; i + 4 * step <= count; i += 4 * step) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(output + i),
                            narrow(quantize_at(i), quantize_at(i + step), quantize_at(i + 2 * step),
                                   quantize_at(i + 3 * step)));
    }
    for (; i + step <= count; i += step) {
        _mm_storel_epi64(reinterpret_cast<__m128i*>(output + i), narrow(quantize_at(i)));
    }
    std::uint8_t last[16];
    const __m256 rest = _mm256_maskload_ps(input + i, first_lanes(count - i));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(last), narrow(quantize(rest, inverse)));
    for (std::size_t k = 0; i + k < count; ++k) output[i + k] = last[k];
    return scale;
}

}  // namespace vgg19::kernels
