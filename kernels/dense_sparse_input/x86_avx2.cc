#include <immintrin.h>

#include "kernels/common/x86_avx2_lanes.h"
#include "kernels/dense_sparse_input/add_rows.h"

namespace vgg19::kernels {

namespace {

struct Avx2 {
    using Register = __m256;
    static constexpr std::size_t lanes = 8;

    static __m256 zero() { return _mm256_setzero_ps(); }
    static __m256 broadcast(float value) { return _mm256_set1_ps(value); }
    static __m256 load(const float* values) { return _mm256_loadu_ps(values); }
    static __m256 load_first(const float* values, std::size_t count) {
        return _mm256_maskload_ps(values, first_lanes(count));
    }
    static void store(float* values, __m256 a) { _mm256_storeu_ps(values, a); }
    static void store_first(float* values, std::size_t count, __m256 a) {
        _mm256_maskstore_ps(values, first_lanes(count), a);
    }
    static __m256 add(__m256 a, __m256 b) { return _mm256_add_ps(a, b); }
    static __m256 multiply_add(__m256 a, __m256 b, __m256 sum) { return _mm256_fmadd_ps(a, b, sum); }
    static __m256 not_below_zero(__m256 a) {
        return _mm256_max_ps(zero(), a);
    }  // of a NaN, the second operand
};

}  // namespace

void dense_sparse_input_avx2(const DenseSparseInput& problem, std::size_t begin, std::size_t end) {
    if (problem.batch == 1) {
        compute_sparse<Avx2, 8, 1>(problem, begin, end);
    } else {
        compute_sparse<Avx2, 4, 2>(problem, begin, end);
    }
}

}  // namespace vgg19::kernels
