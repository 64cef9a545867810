#include <immintrin.h>

#include "kernels/common/dense_tiles.h"
#include "kernels/dense_fp32/dense_fp32.h"
#include "kernels/dense_fp32/finish.h"
#include "kernels/dense_fp32/x86_lanes.h"

namespace vgg19::kernels {

namespace {

struct Avx512 {
    using Sum = __m512;
    static constexpr std::size_t lanes = 16;

    static __m512 zero() { return _mm512_setzero_ps(); }
    static __m512 load(const float* values) { return _mm512_loadu_ps(values); }
    static __m512 load_first(const float* values, std::size_t count) {
        return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << count) - 1), values);
    }
    static __m512 multiply_add(__m512 inputs, __m512 weights, __m512 sum) {
        return _mm512_fmadd_ps(inputs, weights, sum);
    }
    static float total(__m512 sum) {
        // The zero-masked form, because GCC 12 warns that the plain one reads an undefined operand.
        const __m256 lower = _mm512_maskz_extractf32x8_ps(0xff, sum, 0);
        const __m256 upper = _mm512_maskz_extractf32x8_ps(0xff, sum, 1);
        return add_lanes(_mm256_add_ps(lower, upper));
    }
};

}  // namespace

void dense_fp32_avx512(const DenseFp32& problem, std::size_t begin, std::size_t end) {
    compute_dense<Avx512, 4, 4>(problem, begin, end);
}

}  // namespace vgg19::kernels
