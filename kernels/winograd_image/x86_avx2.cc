#include "kernels/common/x86_avx2_quantize.h"
#include "kernels/common/x86_avx2_vector.h"
#include "kernels/winograd_image/steps.h"

namespace vgg19::kernels {

namespace {

struct ImageAvx2 : Avx2 {
    static Register load_once(const float* from) {
        Register value = load(from);
        __asm__("" : "+x"(value.value));
        return value;
    }

    static void store_quantized(std::uint8_t* to, Register values) {
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to), quantized_positive(values.value));
    }

    static Register load_every_fourth(const float* from) {
        // Of eight floats each, those wanted are 0 and 4, the first of both halves: 0 8 | 4 12 and so on.
        const __m256 lower = _mm256_shuffle_ps(_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8), 0);
        const __m256 upper = _mm256_shuffle_ps(_mm256_loadu_ps(from + 16), _mm256_loadu_ps(from + 24), 0);
        const __m256 halves = _mm256_shuffle_ps(lower, upper, _MM_SHUFFLE(2, 0, 2, 0));
        const __m256i in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        return {_mm256_permutevar8x32_ps(halves, in_order)};
    }
};

}  // namespace

void winograd_image_avx2(const WinogradImage& problem, std::size_t row_begin, std::size_t row_end,
                         float* scratch) {
    WinogradImageKernel<ImageAvx2>::run(problem, row_begin, row_end, scratch);
}

}  // namespace vgg19::kernels
