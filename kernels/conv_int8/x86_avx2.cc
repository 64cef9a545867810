#include <immintrin.h>

#include <cstring>

#include "kernels/common/x86_avx2_quantize.h"
#include "kernels/conv_int8/tiles.h"

namespace vgg19::kernels {

namespace {

// Multiplies even and odd channels as 16-bit numbers: the instruction that multiplies bytes (vpmaddubsw)
// saturates its 16-bit sums, as 255 · 127 + 255 · 127 would.
struct ConvAvx2 {
    using Sum = __m256i;
    static constexpr std::size_t lanes = 8;
    static constexpr std::size_t pixels = 4;  // 4 × 2 sums, 2 × 2 halves of filters and a pixel's 2: 14 of 16
    static constexpr std::size_t vectors = 2;
    struct Halves {
        __m256i even;
        __m256i odd;
    };

    static __m256i zero() { return _mm256_setzero_si256(); }
    static Halves broadcast(const std::uint8_t* from) {
        std::int32_t channels;  // NOLINT(cppcoreguidelines-init-variables): the copy sets it
        std::memcpy(&channels, from, sizeof channels);
        const __m256i bytes = _mm256_set1_epi32(channels);
        return {_mm256_and_si256(bytes, _mm256_set1_epi16(0xff)), _mm256_srli_epi16(bytes, 8)};
    }
    static Halves load_weights(const std::int8_t* from) {
        const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
        return {_mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8), _mm256_srai_epi16(bytes, 8)};
    }
    static __m256i multiply_add(const Halves& pixel, const Halves& weights, __m256i sum) {
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pixel.even, weights.even));
        return _mm256_add_epi32(sum, _mm256_madd_epi16(pixel.odd, weights.odd));
    }
    static void store(std::int32_t* to, __m256i sum) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), sum);
    }

    struct Sixteen {
        __m256i lower;
        __m256i upper;
    };
    struct SixteenFloats {
        __m256 lower;
        __m256 upper;
    };
    static Sixteen load(const std::int32_t* from) {
        return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)),
                _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + lanes))};
    }
    static Sixteen maximum(const Sixteen& a, const Sixteen& b) {
        return {_mm256_max_epi32(a.lower, b.lower), _mm256_max_epi32(a.upper, b.upper)};
    }
    class Scale {
      public:
        Scale(const float* multiplier, const float* bias)
            : multiplier_{_mm256_loadu_ps(multiplier), _mm256_loadu_ps(multiplier + lanes)},
              bias_{_mm256_loadu_ps(bias), _mm256_loadu_ps(bias + lanes)} {}
        SixteenFloats operator()(const Sixteen& sums) const {
            const __m256 lower = _mm256_mul_ps(_mm256_cvtepi32_ps(sums.lower), multiplier_.lower);
            const __m256 upper = _mm256_mul_ps(_mm256_cvtepi32_ps(sums.upper), multiplier_.upper);
            return {_mm256_add_ps(lower, bias_.lower), _mm256_add_ps(upper, bias_.upper)};
        }

      private:
        SixteenFloats multiplier_;
        SixteenFloats bias_;
    };
    static void store_quantized(std::uint8_t* to, const SixteenFloats& y) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), quantized(y.lower, y.upper));
    }
    static void store_lower(float* to, const SixteenFloats& y) {
        _mm256_storeu_ps(to, _mm256_max_ps(y.lower, _mm256_setzero_ps()));
    }
    static void store_upper(float* to, const SixteenFloats& y) {
        _mm256_storeu_ps(to, _mm256_max_ps(y.upper, _mm256_setzero_ps()));
    }
};

}  // namespace

void conv_int8_avx2(const ConvInt8& problem, std::size_t group, std::size_t row_begin, std::size_t row_end,
                    std::int32_t* sums) {
    ConvInt8Kernel<ConvAvx2>::run(problem, group, row_begin, row_end, sums);
}

}  // namespace vgg19::kernels
