#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/common/x86_avx512_vector.h"
#include "kernels/winograd_int8/steps.h"

namespace vgg19::kernels {

namespace {

struct Avx512Vnni : Avx512 {
    /// Registers have room for 14 × 2 sums, but stores that come all at once hold up the products of the next
    /// tile (by two cycles each on Zen 4); 6 × 2 are stored in their shadow.
    static constexpr std::size_t rows = 6;

    struct Words {
        __m512i value;
    };
    static constexpr std::size_t words = 32;

    static Words broadcast_word(std::int16_t value) { return {_mm512_set1_epi16(value)}; }
    static Words load_pixels_shifted_by_5(const std::uint8_t* from) {
        const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
        return {_mm512_slli_epi16(_mm512_cvtepu8_epi16(bytes), 5)};
    }
    static Words add_words(Words a, Words b) { return {_mm512_add_epi16(a.value, b.value)}; }
    static Words subtract_words(Words a, Words b) { return {_mm512_sub_epi16(a.value, b.value)}; }
    static Words multiply_rounded(Words a, Words b) { return {_mm512_mulhrs_epi16(a.value, b.value)}; }
    template <std::uint8_t zero_point>
    static void store_bytes(std::uint8_t* to, Words value) {
        static_assert(zero_point == 0 || zero_point == 128);
        // With 128 added, the range of signed bytes is that of unsigned ones.
        const __m256i bytes = zero_point == 0 ? _mm512_cvtusepi16_epi8(value.value)
                                              : _mm256_xor_si256(_mm512_cvtsepi16_epi8(value.value),
                                                                 _mm256_set1_epi8(static_cast<char>(0x80)));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), bytes);
    }

    struct Sum {
        __m512i value;
    };
    using Filters = Sum;
    using Quad = Sum;

    static Sum load_sum(const std::int8_t* from) { return {_mm512_loadu_si512(from)}; }
    static void store_sum(std::int32_t* to, Sum sum) { _mm512_storeu_si512(to, sum.value); }
    static Filters load_filters(const std::int8_t* from) { return {_mm512_loadu_si512(from)}; }
    static Quad broadcast_quad(const std::uint8_t* from) {
        std::int32_t quad = 0;
        __builtin_memcpy(&quad, from, sizeof quad);
        return {_mm512_set1_epi32(quad)};
    }
    static Sum add_products(Sum sum, Quad v, Filters u) {
        return {_mm512_dpbusd_epi32(sum.value, v.value, u.value)};
    }

    static Register subtract_product(Register c, Register a, Register b) {
        return {_mm512_fnmadd_ps(a.value, b.value, c.value)};
    }
    static Register load_converted(const std::int32_t* from) {
        return {_mm512_cvtepi32_ps(_mm512_loadu_si512(from))};
    }
    /// What is too large for 32 bits becomes 2^31, and 255 too.
    static void store_quantized(std::uint8_t* to, Register value) {
        const __m128i bytes = _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(value.value));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    }
};

}  // namespace

const WinogradInt8Steps winograd_int8_avx512vnni = {WinogradInt8Kernel<Avx512Vnni>::transform_input,
                                                    WinogradInt8Kernel<Avx512Vnni>::multiply};

}  // namespace vgg19::kernels
