#include "kernels/common/x86_avx512_quantize.h"
#include "kernels/quantize_blocked/quantize_rows.h"

namespace vgg19::kernels {

namespace {

class Avx512Lanes {
  public:
    explicit Avx512Lanes(float inverse_scale) : inverse_scale_(_mm512_set1_ps(inverse_scale)) {}
    void store(const float* lower, const float* upper, std::uint8_t* output) const {
        const __m512 values =
            _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(lower)), _mm256_loadu_ps(upper), 1);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(output),
                         quantized(_mm512_mul_ps(values, inverse_scale_)));
    }

  private:
    __m512 inverse_scale_;
};

}  // namespace

void quantize_blocked_avx512(const QuantizeBlocked& problem, std::size_t begin, std::size_t end) {
    quantize_rows<Avx512Lanes>(problem, begin, end);
}

}  // namespace vgg19::kernels
