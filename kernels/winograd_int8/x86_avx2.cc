#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/common/x86_avx2_vector.h"
#include "kernels/winograd_int8/steps.h"

namespace vgg19::kernels {

namespace {

// Products are made in 16 bits: the instruction that multiplies bytes (vpmaddubsw) saturates its sums, as
// 255 · 127 + 255 · 127 would.
struct Avx2Int8 : Avx2 {
    static constexpr std::size_t rows = 4;  ///< 4 × 2 sums, 2 pairs of filters and a pair of inputs

    struct Words {
        __m256i value;
    };
    static constexpr std::size_t words = 16;

    static Words broadcast_word(std::int16_t value) { return {_mm256_set1_epi16(value)}; }
    static Words load_pixels_shifted_by_5(const std::uint8_t* from) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        return {_mm256_slli_epi16(_mm256_cvtepu8_epi16(bytes), 5)};
    }
    static Words add_words(Words a, Words b) { return {_mm256_add_epi16(a.value, b.value)}; }
    static Words subtract_words(Words a, Words b) { return {_mm256_sub_epi16(a.value, b.value)}; }
    static Words multiply_rounded(Words a, Words b) { return {_mm256_mulhrs_epi16(a.value, b.value)}; }
    template <std::uint8_t zero_point>
    static void store_bytes(std::uint8_t* to, Words value) {
        static_assert(zero_point == 0 || zero_point == 128);
        const __m128i low = _mm256_castsi256_si128(value.value);
        const __m128i high = _mm256_extracti128_si256(value.value, 1);
        // With 128 added, the range of signed bytes is that of unsigned ones.
        const __m128i bytes = zero_point == 0 ? _mm_packus_epi16(low, high)
                                              : _mm_xor_si128(_mm_packs_epi16(low, high),
                                                              _mm_set1_epi8(static_cast<char>(0x80)));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    }

    struct Sum {
        __m256i value;
    };
    /// Bytes 0 and 2 of each four, and 1 and 3, widened to 16 bits.
    struct Pairs {
        __m256i even;
        __m256i odd;
    };
    using Filters = Pairs;

    static Sum load_sum(const std::int8_t* from) {
        return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))};
    }
    static void store_sum(std::int32_t* to, Sum sum) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), sum.value);
    }
    static Filters load_filters(const std::int8_t* from) {
        const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
        return {_mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8), _mm256_srai_epi16(bytes, 8)};
    }
    static Pairs broadcast_quad(const std::uint8_t* from) {
        std::int32_t quad = 0;
        __builtin_memcpy(&quad, from, sizeof quad);
        const __m256i bytes = _mm256_set1_epi32(quad);
        return {_mm256_and_si256(bytes, _mm256_set1_epi16(0xff)), _mm256_srli_epi16(bytes, 8)};
    }
    static Sum add_products(Sum sum, Pairs v, Filters u) {
        const __m256i even = _mm256_add_epi32(sum.value, _mm256_madd_epi16(v.even, u.even));
        return {_mm256_add_epi32(even, _mm256_madd_epi16(v.odd, u.odd))};
    }

    static Register subtract_product(Register c, Register a, Register b) {
        return {_mm256_fnmadd_ps(a.value, b.value, c.value)};
    }
    static Register load_converted(const std::int32_t* from) {
        return {_mm256_cvtepi32_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)))};
    }
    static void store_quantized(std::uint8_t* to, Register value) {
        const __m256i rounded = _mm256_cvtps_epi32(_mm256_min_ps(value.value, _mm256_set1_ps(255.0F)));
        const __m128i halves =
            _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(halves, halves));
    }
};

}  // namespace

const WinogradInt8Steps winograd_int8_avx2 = {WinogradInt8Kernel<Avx2Int8>::transform_input,
                                              WinogradInt8Kernel<Avx2Int8>::multiply};

}  // namespace vgg19::kernels
