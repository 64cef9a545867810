#include <immintrin.h>

#include "kernels/max_pool/pool_rows.h"

namespace vgg19::kernels {

namespace {

struct Avx512Lanes {
    static constexpr std::size_t count = 16;
    static void store_maximum(const float* a, const float* b, const float* c, const float* d, float* output) {
        const __m512 top = _mm512_max_ps(_mm512_loadu_ps(a), _mm512_loadu_ps(b));
        const __m512 bottom = _mm512_max_ps(_mm512_loadu_ps(c), _mm512_loadu_ps(d));
        _mm512_storeu_ps(output, _mm512_max_ps(top, bottom));
    }
};

}  // namespace

void max_pool_avx512(const MaxPool& problem, std::size_t begin, std::size_t end) {
    pool_rows<Avx512Lanes>(problem, begin, end);
}

}  // namespace vgg19::kernels
