#include <immintrin.h>

#include "kernels/average_pool/pool_blocks.h"

namespace vgg19::kernels {

namespace {

struct Avx2Lanes {
    static constexpr std::size_t count = 8;
    __m256 sums = _mm256_setzero_ps();

    void add(const float* values) { sums = _mm256_add_ps(sums, _mm256_loadu_ps(values)); }
    void divide(float divisor) { sums = _mm256_div_ps(sums, _mm256_set1_ps(divisor)); }
    void store(float* values) const { _mm256_storeu_ps(values, sums); }
};

}  // namespace

void average_pool_avx2(const AveragePool& problem, std::size_t begin, std::size_t end) {
    pool_blocks<Avx2Lanes>(problem, begin, end);
}

}  // namespace vgg19::kernels
