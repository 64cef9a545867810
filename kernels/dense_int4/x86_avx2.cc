#include <immintrin.h>

#include <cstring>

#include "kernels/dense_int4/add_rows.h"

namespace vgg19::kernels {

namespace {

struct Avx2 {
    using Register = __m256;
    using Words = __m256i;
    static constexpr std::size_t lanes = 8;
    static constexpr std::size_t groups_of_block = 2;

    static __m256 broadcast(float value) { return _mm256_set1_ps(value); }
    static __m256 load(const float* values) { return _mm256_loadu_ps(values); }
    static void store(float* values, __m256 a) { _mm256_storeu_ps(values, a); }
    static __m256 multiply(__m256 a, __m256 b) { return _mm256_mul_ps(a, b); }
    static __m256 add(__m256 a, __m256 b) { return _mm256_add_ps(a, b); }
    static __m256 multiply_add(__m256 a, __m256 b, __m256 sum) { return _mm256_fmadd_ps(a, b, sum); }

    static __m256i load_words(const std::uint8_t* weights) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights));
    }
    /// Of a block that is not whole there is one group.
    static __m256i load_words(const std::uint8_t* weights, std::size_t /*groups*/) {
        return _mm256_zextsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(weights)));
    }
    static __m256 load_scales(const std::uint16_t* halves, std::size_t groups = groups_of_block) {
        std::uint32_t two = 0;
        std::memcpy(&two, halves, groups * sizeof *halves);
        const __m128i each_four_times = _mm_setr_epi8(0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3);
        return _mm256_cvtph_ps(_mm_shuffle_epi8(_mm_cvtsi32_si128(static_cast<int>(two)), each_four_times));
    }
    template <std::size_t k>
    static __m256 weight(__m256i words) {
        const __m256i bits = _mm256_and_si256(words, _mm256_set1_epi32(InMantissa<k>::mask));
        const __m256i number = _mm256_or_si256(bits, _mm256_set1_epi32(InMantissa<k>::exponent));
        return _mm256_sub_ps(_mm256_castsi256_ps(number), _mm256_set1_ps(InMantissa<k>::offset));
    }
    static __m256i upper(__m256i words) { return _mm256_srli_epi32(words, shift_of_upper); }
};

}  // namespace

void dense_int4_avx2(const DenseInt4& problem, std::size_t begin, std::size_t end) {
    compute_int4<Avx2, 1>(problem, begin, end);
}

}  // namespace vgg19::kernels
