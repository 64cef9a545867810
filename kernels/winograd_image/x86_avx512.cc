#include "kernels/common/x86_avx512_quantize.h"
#include "kernels/common/x86_avx512_vector.h"
#include "kernels/winograd_image/steps.h"

namespace vgg19::kernels {

namespace {

struct ImageAvx512 : Avx512 {
    static Register load_once(const float* from) {
        Register value = load(from);
        __asm__("" : "+v"(value.value));
        return value;
    }

    static void store_quantized(std::uint8_t* to, Register values) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), quantized_positive(values.value));
    }

    static Register load_every_fourth(const float* from) {
        // The upper half of the result of each permutation is not used.
        const __m512i fourth = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
        const __m512 lower =
            _mm512_permutex2var_ps(_mm512_loadu_ps(from), fourth, _mm512_loadu_ps(from + 16));
        const __m512 upper =
            _mm512_permutex2var_ps(_mm512_loadu_ps(from + 32), fourth, _mm512_loadu_ps(from + 48));
        return {_mm512_shuffle_f32x4(lower, upper, _MM_SHUFFLE(1, 0, 1, 0))};
    }
};

}  // namespace

void winograd_image_avx512(const WinogradImage& problem, std::size_t row_begin, std::size_t row_end,
                           float* scratch) {
    WinogradImageKernel<ImageAvx512>::run(problem, row_begin, row_end, scratch);
}

}  // namespace vgg19::kernels
