#include <immintrin.h>

#include <cstring>

#include "kernels/common/x86_avx512_lanes.h"
#include "kernels/dense_int4/add_rows.h"

namespace vgg19::kernels {

namespace {

struct Avx512 {
    using Register = __m512;
    using Words = __m512i;
    static constexpr std::size_t lanes = 16;
    static constexpr std::size_t groups_of_block = 4;

    static __m512 broadcast(float value) { return _mm512_set1_ps(value); }
    static __m512 load(const float* values) { return _mm512_loadu_ps(values); }
    static void store(float* values, __m512 a) { _mm512_storeu_ps(values, a); }
    static __m512 multiply(__m512 a, __m512 b) { return _mm512_mul_ps(a, b); }
    static __m512 add(__m512 a, __m512 b) { return _mm512_add_ps(a, b); }
    static __m512 multiply_add(__m512 a, __m512 b, __m512 sum) { return _mm512_fmadd_ps(a, b, sum); }

    static __m512i load_words(const std::uint8_t* weights) { return _mm512_loadu_si512(weights); }
    static __m512i load_words(const std::uint8_t* weights, std::size_t groups) {
        return _mm512_maskz_loadu_epi32(first_lanes_of_16(4 * groups), weights);
    }
    static __m512 load_scales(const std::uint16_t* halves, std::size_t groups = groups_of_block) {
        std::uint64_t four = 0;
        std::memcpy(&four, halves, groups * sizeof *halves);
        const __m256i each_four_times = _mm256_setr_epi8(0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3,  //
                                                         4, 5, 4, 5, 4, 5, 4, 5, 6, 7, 6, 7, 6, 7, 6, 7);
        const __m256i both_halves = _mm256_set1_epi64x(static_cast<long long>(four));
        return _mm512_cvtph_ps(_mm256_shuffle_epi8(both_halves, each_four_times));
    }
    template <std::size_t k>
    static __m512 weight(__m512i words) {
        constexpr int bits_and_exponent = 0xEA;  // (words & mask) | exponent
        const __m512i number =
            _mm512_ternarylogic_epi32(words, _mm512_set1_epi32(InMantissa<k>::mask),
                                      _mm512_set1_epi32(InMantissa<k>::exponent), bits_and_exponent);
        return _mm512_sub_ps(_mm512_castsi512_ps(number), _mm512_set1_ps(InMantissa<k>::offset));
    }
    static __m512i upper(__m512i words) { return _mm512_srli_epi32(words, shift_of_upper); }
};

}  // namespace

void dense_int4_avx512(const DenseInt4& problem, std::size_t begin, std::size_t end) {
    compute_int4<Avx512, 2>(problem, begin, end);
}

}  // namespace vgg19::kernels
