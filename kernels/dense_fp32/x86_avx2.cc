#include <immintrin.h>

#include "kernels/common/dense_tiles.h"
#include "kernels/dense_fp32/dense_fp32.h"
#include "kernels/dense_fp32/finish.h"
#include "kernels/dense_fp32/x86_lanes.h"

namespace vgg19::kernels {

namespace {

struct Avx2 {
    using Sum = __m256;
    static constexpr std::size_t lanes = 8;

    static __m256 zero() { return _mm256_setzero_ps(); }
    static __m256 load(const float* values) { return _mm256_loadu_ps(values); }
    static __m256 load_first(const float* values, std::size_t count) {
        const __m256i positions = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i end = _mm256_set1_epi32(static_cast<int>(count));
        return _mm256_maskload_ps(values, _mm256_cmpgt_epi32(end, positions));
    }
    static __m256 multiply_add(__m256 inputs, __m256 weights, __m256 sum) {
        return _mm256_fmadd_ps(inputs, weights, sum);
    }
    static float total(__m256 sum) { return add_lanes(sum); }
};

}  // namespace

void dense_fp32_avx2(const DenseFp32& problem, std::size_t begin, std::size_t end) {
    // Two images: eight sums and what they are made from fit the sixteen registers.
    compute_dense<Avx2, 4, 2>(problem, begin, end);
}

}  // namespace vgg19::kernels
