#include <immintrin.h>

#include <cstring>

#include "kernels/common/x86_avx512_quantize.h"
#include "kernels/conv_int8/tiles.h"

namespace vgg19::kernels {

namespace {

struct ConvAvx512Vnni {
    using Sum = __m512i;
    static constexpr std::size_t lanes = 16;
    static constexpr std::size_t pixels = 14;  // 14 × 2 sums, 2 filters and a pixel fill 31 of 32 registers
    static constexpr std::size_t vectors = 2;

    static __m512i zero() { return _mm512_setzero_si512(); }
    static __m512i broadcast(const std::uint8_t* from) {
        std::int32_t channels;  // NOLINT(cppcoreguidelines-init-variables): the copy sets it
        std::memcpy(&channels, from, sizeof channels);
        return _mm512_set1_epi32(channels);
    }
    static __m512i load_weights(const std::int8_t* from) { return _mm512_loadu_si512(from); }
    static __m512i multiply_add(__m512i pixel, __m512i weights, __m512i sum) {
        return _mm512_dpbusd_epi32(sum, pixel, weights);
    }
    static void store(std::int32_t* to, __m512i sum) { _mm512_storeu_si512(to, sum); }

    static __m512i load(const std::int32_t* from) { return _mm512_loadu_si512(from); }
    static __m512i maximum(__m512i a, __m512i b) { return _mm512_max_epi32(a, b); }
    class Scale {
      public:
        Scale(const float* multiplier, const float* bias)
            : multiplier_(_mm512_loadu_ps(multiplier)), bias_(_mm512_loadu_ps(bias)) {}
        __m512 operator()(__m512i sums) const {
            return _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sums), multiplier_), bias_);
        }

      private:
        __m512 multiplier_;
        __m512 bias_;
    };
    static void store_quantized(std::uint8_t* to, __m512 y) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), quantized(y));
    }
    static void store_lower(float* to, __m512 y) {
        _mm256_storeu_ps(to, _mm256_max_ps(_mm512_castps512_ps256(y), _mm256_setzero_ps()));
    }
    static void store_upper(float* to, __m512 y) {
        _mm256_storeu_ps(to, _mm256_max_ps(_mm512_extractf32x8_ps(y, 1), _mm256_setzero_ps()));
    }
};

}  // namespace

void conv_int8_avx512vnni(const ConvInt8& problem, std::size_t group, std::size_t row_begin,
                          std::size_t row_end, std::int32_t* sums) {
    ConvInt8Kernel<ConvAvx512Vnni>::run(problem, group, row_begin, row_end, sums);
}

}  // namespace vgg19::kernels
