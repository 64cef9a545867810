#include <immintrin.h>

#include "kernels/max_pool/pool_rows.h"

namespace vgg19::kernels {

namespace {

struct Avx2Lanes {
    static constexpr std::size_t count = 8;
    static void store_maximum(const float* a, const float* b, const float* c, const float* d, float* output) {
        const __m256 top = _mm256_max_ps(_mm256_loadu_ps(a), _mm256_loadu_ps(b));
        const __m256 bottom = _mm256_max_ps(_mm256_loadu_ps(c), _mm256_loadu_ps(d));
        _mm256_storeu_ps(output, _mm256_max_ps(top, bottom));
    }
};

}  // namespace

void max_pool_avx2(const MaxPool& problem, std::size_t begin, std::size_t end) {
    pool_rows<Avx2Lanes>(problem, begin, end);
}

}  // namespace vgg19::kernels
