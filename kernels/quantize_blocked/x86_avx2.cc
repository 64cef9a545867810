#include "kernels/common/x86_avx2_quantize.h"
#include "kernels/quantize_blocked/quantize_rows.h"

namespace vgg19::kernels {

namespace {

class Avx2Lanes {
  public:
    explicit Avx2Lanes(float inverse_scale) : inverse_scale_(_mm256_set1_ps(inverse_scale)) {}
    void store(const float* lower, const float* upper, std::uint8_t* output) const {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(output),
                         quantized(_mm256_mul_ps(_mm256_loadu_ps(lower), inverse_scale_),
                                   _mm256_mul_ps(_mm256_loadu_ps(upper), inverse_scale_)));
    }

  private:
    __m256 inverse_scale_;
};

}  // namespace

void quantize_blocked_avx2(const QuantizeBlocked& problem, std::size_t begin, std::size_t end) {
    quantize_rows<Avx2Lanes>(problem, begin, end);
}

}  // namespace vgg19::kernels
