#include <immintrin.h>

#include "kernels/common/x86_avx512_lanes.h"
#include "kernels/dense_sparse_input/add_rows.h"

namespace vgg19::kernels {

namespace {

struct Avx512 {
    using Register = __m512;
    static constexpr std::size_t lanes = 16;

    static __m512 zero() { return _mm512_setzero_ps(); }
    static __m512 broadcast(float value) { return _mm512_set1_ps(value); }
    static __m512 load(const float* values) { return _mm512_loadu_ps(values); }
    static __m512 load_first(const float* values, std::size_t count) {
        return _mm512_maskz_loadu_ps(first_lanes_of_16(count), values);
    }
    static void store(float* values, __m512 a) { _mm512_storeu_ps(values, a); }
    static void store_first(float* values, std::size_t count, __m512 a) {
        _mm512_mask_storeu_ps(values, first_lanes_of_16(count), a);
    }
    static __m512 add(__m512 a, __m512 b) { return _mm512_add_ps(a, b); }
    static __m512 multiply_add(__m512 a, __m512 b, __m512 sum) { return _mm512_fmadd_ps(a, b, sum); }
    static __m512 not_below_zero(__m512 a) {
        return _mm512_max_ps(zero(), a);
    }  // of a NaN, the second operand
};

}  // namespace

void dense_sparse_input_avx512(const DenseSparseInput& problem, std::size_t begin, std::size_t end) {
    if (problem.batch == 1) {
        compute_sparse<Avx512, 8, 1>(problem, begin, end);
    } else {
        compute_sparse<Avx512, 4, 4>(problem, begin, end);
    }
}

}  // namespace vgg19::kernels
