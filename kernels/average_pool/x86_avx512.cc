#include <immintrin.h>

#include "kernels/average_pool/pool_blocks.h"

namespace vgg19::kernels {

namespace {

struct Avx512Lanes {
    static constexpr std::size_t count = 16;
    __m512 sums = _mm512_setzero_ps();

    void add(const float* values) { sums = _mm512_add_ps(sums, _mm512_loadu_ps(values)); }
    void divide(float divisor) { sums = _mm512_div_ps(sums, _mm512_set1_ps(divisor)); }
    void store(float* values) const { _mm512_storeu_ps(values, sums); }
};

}  // namespace

void average_pool_avx512(const AveragePool& problem, std::size_t begin, std::size_t end) {
    pool_blocks<Avx512Lanes>(problem, begin, end);
}

}  // namespace vgg19::kernels
