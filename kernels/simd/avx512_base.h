// Shared by the ISAs with 512-bit registers (see kernels/simd/vector.h for the functions).
#pragma once

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace vgg19::kernels::VGG19_ISA {
namespace {

struct Avx512Base {
    static constexpr std::size_t width = 16;
    static constexpr std::size_t registers = 32;

    /// A wrapper, so that it can be a template argument.
    struct Register {
        __m512 value;
    };

    static void prefetch_for_write(const void* line) {
        __asm__ volatile("prefetchw %0" : : "m"(*static_cast<const char*>(line)));
    }
    static Register zero() { return {_mm512_setzero_ps()}; }
    static Register broadcast(float value) { return {_mm512_set1_ps(value)}; }
    static Register load(const float* from) { return {_mm512_loadu_ps(from)}; }
    static Register load_first(const float* from, std::size_t count) {
        return {_mm512_maskz_loadu_ps(first_of_16(count), from)};
    }
    static Register load_once(const float* from) {
        Register value = load(from);
        __asm__("" : "+v"(value.value));
        return value;
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
    static void store(float* to, Register a) { _mm512_storeu_ps(to, a.value); }
    static void store_first(float* to, std::size_t count, Register a) {
        _mm512_mask_storeu_ps(to, first_of_16(count), a.value);
    }
    static void store_past_caches(float* to, Register a) { _mm512_stream_ps(to, a.value); }
    static void finish_stores() { _mm_sfence(); }
    static Register add(Register a, Register b) { return {_mm512_add_ps(a.value, b.value)}; }
    static Register subtract(Register a, Register b) { return {_mm512_sub_ps(a.value, b.value)}; }
    static Register multiply(Register a, Register b) { return {_mm512_mul_ps(a.value, b.value)}; }
    static Register divide(Register a, Register b) { return {_mm512_div_ps(a.value, b.value)}; }
    static Register multiply_add(Register a, Register b, Register c) { return fused_multiply_add(a, b, c); }
    static Register fused_multiply_add(Register a, Register b, Register c) {
        return {_mm512_fmadd_ps(a.value, b.value, c.value)};
    }
    static Register fused_subtract_product(Register c, Register a, Register b) {
        return {_mm512_fnmadd_ps(a.value, b.value, c.value)};
    }
    static Register maximum(Register a, Register b) { return {_mm512_max_ps(a.value, b.value)}; }
    static std::uint32_t greater_lanes(Register a, Register b) {
        return _mm512_cmp_ps_mask(a.value, b.value, _CMP_GT_OQ);
    }
    static Register select_lanes(std::uint32_t bits, Register a) {
        return {_mm512_maskz_mov_ps(static_cast<__mmask16>(bits), a.value)};
    }
    static void transpose(std::array<Register, width>& rows) {
        // First the 4×4 squares in each 128-bit part, then the parts.
        __m512 t[width];
        for (std::size_t i = 0; i < width; i += 4) {
            const __m512 lower_ab = _mm512_unpacklo_ps(rows[i].value, rows[i + 1].value);
            const __m512 upper_ab = _mm512_unpackhi_ps(rows[i].value, rows[i + 1].value);
            const __m512 lower_cd = _mm512_unpacklo_ps(rows[i + 2].value, rows[i + 3].value);
            const __m512 upper_cd = _mm512_unpackhi_ps(rows[i + 2].value, rows[i + 3].value);
            t[i] = of_pairs(lower_ab, lower_cd, false);
            t[i + 1] = of_pairs(lower_ab, lower_cd, true);
            t[i + 2] = of_pairs(upper_ab, upper_cd, false);
            t[i + 3] = of_pairs(upper_ab, upper_cd, true);
        }
        constexpr int lower_parts = _MM_SHUFFLE(1, 0, 1, 0);
        constexpr int upper_parts = _MM_SHUFFLE(3, 2, 3, 2);
        constexpr int even_parts = _MM_SHUFFLE(2, 0, 2, 0);
        constexpr int odd_parts = _MM_SHUFFLE(3, 1, 3, 1);
        for (std::size_t k = 0; k < 4; ++k) {
            const __m512 a = _mm512_shuffle_f32x4(t[k], t[4 + k], lower_parts);
            const __m512 b = _mm512_shuffle_f32x4(t[k], t[4 + k], upper_parts);
            const __m512 c = _mm512_shuffle_f32x4(t[8 + k], t[12 + k], lower_parts);
            const __m512 d = _mm512_shuffle_f32x4(t[8 + k], t[12 + k], upper_parts);
            rows[k].value = _mm512_shuffle_f32x4(a, c, even_parts);
            rows[4 + k].value = _mm512_shuffle_f32x4(a, c, odd_parts);
            rows[8 + k].value = _mm512_shuffle_f32x4(b, d, even_parts);
            rows[12 + k].value = _mm512_shuffle_f32x4(b, d, odd_parts);
        }
    }
    static float total(Register a) {
        const __m256 eight = _mm256_add_ps(lower_half(a.value), upper_half(a.value));
        const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
        const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
    }
    static float largest(Register a) { return _mm512_reduce_max_ps(a.value); }
    /// The saturating conversion to bytes also clamps to 255: values too large for an integer become 2^31, as
    /// unsigned.
    static void store_quantized(std::uint8_t* to, Register a) { store_quantized_sixteen(to, a); }

    static void store_quantized_square(std::uint8_t* to, std::uint8_t* below,
                                       const std::array<std::array<Register, 2>, 2>& a) {
        const __m512i upper_row =
            _mm512_packs_epi32(integers_below_256(a[0][0]), integers_below_256(a[0][1]));
        const __m512i lower_row =
            _mm512_packs_epi32(integers_below_256(a[1][0]), integers_below_256(a[1][1]));
        // Packing works within 128-bit parts, so that each has four channels of every pixel.
        const __m512i by_pixels = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        const __m512i bytes = _mm512_permutexvar_epi32(by_pixels, _mm512_packus_epi16(upper_row, lower_row));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_castsi512_si128(bytes));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 32), _mm512_extracti32x4_epi32(bytes, 1));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(below), _mm512_extracti32x4_epi32(bytes, 2));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(below + 32), _mm512_extracti32x4_epi32(bytes, 3));
    }

    using Sixteen = Register;
    static Sixteen load_sixteen(const float* from) { return load(from); }
    static Sixteen load_sixteen(const float* lower, const float* upper) {
        return {
            _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(lower)), _mm256_loadu_ps(upper), 1)};
    }
    static Sixteen multiply_sixteen(Sixteen a, Sixteen b) { return multiply(a, b); }
    static Sixteen add_sixteen(Sixteen a, Sixteen b) { return add(a, b); }
    static Sixteen broadcast_sixteen(float value) { return broadcast(value); }
    static Sixteen not_below_zero_sixteen(Sixteen a) { return maximum(a, zero()); }
    static void store_quantized_sixteen(std::uint8_t* to, Sixteen a) {
        const __m128i bytes = _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(a.value));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    }
    static void store_quantized_sixteens(std::uint8_t* to, Sixteen a, Sixteen b) {
        store_quantized_sixteen(to, a);
        store_quantized_sixteen(to + 16, b);
    }
    static void store_lower_eight(float* to, Sixteen a) { _mm256_storeu_ps(to, lower_half(a.value)); }
    static void store_upper_eight(float* to, Sixteen a) { _mm256_storeu_ps(to, upper_half(a.value)); }

    struct SixteenIntegers {
        __m512i value;
    };
    static SixteenIntegers load_sixteen_integers(const std::int32_t* from) {
        return {_mm512_loadu_si512(from)};
    }
    static SixteenIntegers maximum_sixteen_integers(SixteenIntegers a, SixteenIntegers b) {
        return {_mm512_max_epi32(a.value, b.value)};
    }
    static Sixteen to_floats_sixteen(SixteenIntegers a) { return {_mm512_cvtepi32_ps(a.value)}; }

    static constexpr std::size_t doubles_width = 8;
    struct Doubles {
        __m512d value;
    };
    static Doubles load_doubles(const float* from) { return {_mm512_cvtps_pd(_mm256_loadu_ps(from))}; }
    static Doubles load_first_doubles(const float* from, std::size_t count) {
        return {_mm512_cvtps_pd(_mm256_maskz_loadu_ps(first_of_8(count), from))};
    }
    static void store_doubles(float* to, Doubles a) { _mm256_storeu_ps(to, _mm512_cvtpd_ps(a.value)); }
    static void store_first_doubles(float* to, std::size_t count, Doubles a) {
        _mm256_mask_storeu_ps(to, first_of_8(count), _mm512_cvtpd_ps(a.value));
    }
    static Doubles broadcast_double(double value) { return {_mm512_set1_pd(value)}; }
    static Doubles zero_double() { return {_mm512_setzero_pd()}; }
    static Doubles add_double(Doubles a, Doubles b) { return {_mm512_add_pd(a.value, b.value)}; }
    static Doubles subtract_double(Doubles a, Doubles b) { return {_mm512_sub_pd(a.value, b.value)}; }
    static Doubles maximum_double(Doubles a, Doubles b) { return {_mm512_max_pd(a.value, b.value)}; }
    static Doubles multiply_add_double(Doubles a, Doubles b, Doubles c) {
        return {_mm512_fmadd_pd(a.value, b.value, c.value)};
    }
    static Doubles first_doubles(Doubles a, std::size_t count) {
        return {_mm512_maskz_mov_pd(first_of_8(count), a.value)};
    }
    static Doubles nearest_product(Doubles a, Doubles b) {
        return {_mm512_roundscale_pd(_mm512_mul_pd(a.value, b.value),
                                     _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
    }
    static Doubles scale_by_power_of_two(Doubles a, Doubles n) {
        return {_mm512_scalef_pd(a.value, n.value)};
    }
    static double total_double(Doubles a) { return _mm512_reduce_add_pd(a.value); }

    static constexpr std::size_t words = 32;
    struct Words {
        __m512i value;
    };
    static Words broadcast_word(std::int16_t value) { return {_mm512_set1_epi16(value)}; }
    static Words add_words(Words a, Words b) { return {_mm512_add_epi16(a.value, b.value)}; }
    static Words subtract_words(Words a, Words b) { return {_mm512_sub_epi16(a.value, b.value)}; }
    static Words multiply_rounded(Words a, Words b) { return {_mm512_mulhrs_epi16(a.value, b.value)}; }

    static constexpr std::size_t pixel_blocks = 2;
    struct Pixels {
        __m512i value;
    };
    static Pixels load_pixels(const std::uint8_t* first, const std::uint8_t* second) {
        const __m256i lower = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(first));
        const __m256i upper = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(second));
        return {_mm512_inserti64x4(_mm512_castsi256_si512(lower), upper, 1)};
    }
    /// Of each 128 bits of pixels, the lower eight and the upper eight: the inverse of packing.
    struct PixelWords {
        Words lower;
        Words upper;
    };
    template <int a_weight, int b_weight>
    static PixelWords weighted_pixels(Pixels a, Pixels b) {
        const __m512i weights =
            _mm512_set1_epi16(static_cast<std::int16_t>(b_weight * 256 + (a_weight & 0xff)));
        return {{_mm512_maddubs_epi16(_mm512_unpacklo_epi8(a.value, b.value), weights)},
                {_mm512_maddubs_epi16(_mm512_unpackhi_epi8(a.value, b.value), weights)}};
    }
    template <std::uint8_t zero_point>
    static void store_bytes(std::uint8_t* to, PixelWords a) {
        static_assert(zero_point == 0 || zero_point == 128);
        const __m512i bytes = zero_point == 0
                                  ? _mm512_packus_epi16(a.lower.value, a.upper.value)
                                  : _mm512_xor_si512(_mm512_packs_epi16(a.lower.value, a.upper.value),
                                                     _mm512_set1_epi8(static_cast<char>(0x80)));
        _mm512_storeu_si512(to, bytes);
    }

    struct Sum {
        __m512i value;
    };
    static Sum zero_sum() { return {_mm512_setzero_si512()}; }
    static Sum load_sum(const std::int32_t* from) { return {_mm512_loadu_si512(from)}; }
    static void store_sum(std::int32_t* to, Sum a) { _mm512_storeu_si512(to, a.value); }
    static std::int32_t total_sum(Sum a) { return _mm512_reduce_add_epi32(a.value); }
    static Register to_floats(Sum a) { return {_mm512_cvtepi32_ps(a.value)}; }
    static Register load_converted(const std::int32_t* from) { return to_floats(load_sum(from)); }
    static Sum load_first_sum(const std::int32_t* from, std::size_t count) {
        return {_mm512_maskz_loadu_epi32(first_of_16(count), from)};
    }
    static Sum shift_right(Sum a, int count) {
        return {_mm512_srli_epi32(a.value, static_cast<unsigned>(count))};
    }
    static Register from_bits_in_mantissa(Sum a, std::int32_t mask, std::int32_t exponent) {
        constexpr int and_or = 0xEA;
        return {_mm512_castsi512_ps(_mm512_ternarylogic_epi32(a.value, _mm512_set1_epi32(mask),
                                                              _mm512_set1_epi32(exponent), and_or))};
    }
    static Register load_half_scales(const std::uint16_t* from, std::size_t count) {
        std::uint64_t four = 0;
        __builtin_memcpy(&four, from, count * sizeof *from);
        const __m256i each_four_times = _mm256_setr_epi8(0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3,  //
                                                         4, 5, 4, 5, 4, 5, 4, 5, 6, 7, 6, 7, 6, 7, 6, 7);
        const __m256i both_halves = _mm256_set1_epi64x(static_cast<long long>(four));
        return {_mm512_cvtph_ps(_mm256_shuffle_epi8(both_halves, each_four_times))};
    }

  protected:
    /// The lower or upper pairs of floats of each 128-bit part, those of a before those of b.
    static __m512 of_pairs(__m512 a, __m512 b, bool upper) {
        const __m512d x = _mm512_castps_pd(a);
        const __m512d y = _mm512_castps_pd(b);
        return _mm512_castpd_ps(upper ? _mm512_unpackhi_pd(x, y) : _mm512_unpacklo_pd(x, y));
    }
    /// Numbers too large for an integer would become negative.
    static __m512i integers_below_256(Register a) {
        return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_set1_ps(255.0F), a.value));
    }
    /// Works within 128-bit parts: part p of register k has bytes 16 · p + 4 · k and the three after it.
    static void interleave(const std::int8_t* const (&rows)[4], __m512i (&bytes)[4]) {
        const __m512i a = _mm512_loadu_si512(rows[0]);
        const __m512i b = _mm512_loadu_si512(rows[1]);
        const __m512i c = _mm512_loadu_si512(rows[2]);
        const __m512i d = _mm512_loadu_si512(rows[3]);
        const __m512i lower_ab = _mm512_unpacklo_epi8(a, b);
        const __m512i upper_ab = _mm512_unpackhi_epi8(a, b);
        const __m512i lower_cd = _mm512_unpacklo_epi8(c, d);
        const __m512i upper_cd = _mm512_unpackhi_epi8(c, d);
        bytes[0] = _mm512_unpacklo_epi16(lower_ab, lower_cd);
        bytes[1] = _mm512_unpackhi_epi16(lower_ab, lower_cd);
        bytes[2] = _mm512_unpacklo_epi16(upper_ab, upper_cd);
        bytes[3] = _mm512_unpackhi_epi16(upper_ab, upper_cd);
    }
    static __mmask16 first_of_16(std::size_t count) { return static_cast<__mmask16>((1U << count) - 1U); }
    static __mmask8 first_of_8(std::size_t count) { return static_cast<__mmask8>((1U << count) - 1U); }
    // The zero-masked form avoids a GCC 12 warning about an undefined operand of the plain one.
    static __m256 lower_half(__m512 a) { return _mm512_castps512_ps256(a); }
    static __m256 upper_half(__m512 a) { return _mm512_maskz_extractf32x8_ps(0xff, a, 1); }
    static __m512i broadcast_bytes(const std::uint8_t* from) {
        std::int32_t quad;  // NOLINT(cppcoreguidelines-init-variables): the copy sets it
        __builtin_memcpy(&quad, from, sizeof quad);
        return _mm512_set1_epi32(quad);
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
