#include <immintrin.h>

#include "kernels/common/dense_tiles.h"
#include "kernels/dense_int8/dense_int8.h"
#include "kernels/dense_int8/finish.h"
#include "kernels/dense_int8/x86_lanes.h"

namespace vgg19::kernels {

namespace {

struct Avx512Vnni {
    using Sum = __m512i;
    static constexpr std::size_t lanes = 64;

    static __m512i zero() { return _mm512_setzero_si512(); }
    static __m512i load(const void* values) { return _mm512_loadu_si512(values); }
    static __m512i load_first(const void* values, std::size_t count) {
        return _mm512_maskz_loadu_epi8((std::uint64_t{1} << count) - 1, values);
    }
    static __m512i multiply_add(__m512i inputs, __m512i weights, __m512i sum) {
        return _mm512_dpbusd_epi32(sum, inputs, weights);
    }
    static std::int32_t total(__m512i sum) {
        // The zero-masked form, because GCC 12 warns that the plain one reads an undefined operand.
        const __m256i lower = _mm512_maskz_extracti64x4_epi64(0xf, sum, 0);
        const __m256i upper = _mm512_maskz_extracti64x4_epi64(0xf, sum, 1);
        return add_lanes(_mm256_add_epi32(lower, upper));
    }
};

}  // namespace

void dense_int8_avx512vnni(const DenseInt8& problem, std::size_t begin, std::size_t end) {
    compute_dense<Avx512Vnni, 4, 4>(problem, begin, end);
}

}  // namespace vgg19::kernels
