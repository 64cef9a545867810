// Shared by the ISAs with 256-bit registers (see kernels/simd/vector.h for the functions).
#pragma once

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace vgg19::kernels::VGG19_ISA {
namespace {

struct Avx2Base {
    static constexpr std::size_t width = 8;
    static constexpr std::size_t registers = 16;

    /// A wrapper, so that it can be a template argument.
    struct Register {
        __m256 value;
    };

    static void prefetch_for_write(const void* line) {
        __asm__ volatile("prefetchw %0" : : "m"(*static_cast<const char*>(line)));
    }
    static Register zero() { return {_mm256_setzero_ps()}; }
    static Register broadcast(float value) { return {_mm256_set1_ps(value)}; }
    static Register load(const float* from) { return {_mm256_loadu_ps(from)}; }
    static Register load_first(const float* from, std::size_t count) {
        return {_mm256_maskload_ps(from, first_lanes(count))};
    }
    static Register load_once(const float* from) {
        Register value = load(from);
        __asm__("" : "+x"(value.value));
        return value;
    }
    static Register load_every_fourth(const float* from) {
        // Of each eight floats, keep elements 0 and 4, the first of both halves: 0 8 | 4 12 and so on.
        const __m256 lower = _mm256_shuffle_ps(_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8), 0);
        const __m256 upper = _mm256_shuffle_ps(_mm256_loadu_ps(from + 16), _mm256_loadu_ps(from + 24), 0);
        const __m256 halves = _mm256_shuffle_ps(lower, upper, _MM_SHUFFLE(2, 0, 2, 0));
        const __m256i in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        return {_mm256_permutevar8x32_ps(halves, in_order)};
    }
    static void store(float* to, Register a) { _mm256_storeu_ps(to, a.value); }
    static void store_first(float* to, std::size_t count, Register a) {
        _mm256_maskstore_ps(to, first_lanes(count), a.value);
    }
    static void store_past_caches(float* to, Register a) { _mm256_stream_ps(to, a.value); }
    static void finish_stores() { _mm_sfence(); }
    static Register add(Register a, Register b) { return {_mm256_add_ps(a.value, b.value)}; }
    static Register subtract(Register a, Register b) { return {_mm256_sub_ps(a.value, b.value)}; }
    static Register multiply(Register a, Register b) { return {_mm256_mul_ps(a.value, b.value)}; }
    static Register divide(Register a, Register b) { return {_mm256_div_ps(a.value, b.value)}; }
    static Register multiply_add(Register a, Register b, Register c) { return fused_multiply_add(a, b, c); }
    static Register fused_multiply_add(Register a, Register b, Register c) {
        return {_mm256_fmadd_ps(a.value, b.value, c.value)};
    }
    static Register fused_subtract_product(Register c, Register a, Register b) {
        return {_mm256_fnmadd_ps(a.value, b.value, c.value)};
    }
    static Register maximum(Register a, Register b) { return {_mm256_max_ps(a.value, b.value)}; }
    static std::uint32_t greater_lanes(Register a, Register b) {
        return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a.value, b.value, _CMP_GT_OQ)));
    }
    static Register select_lanes(std::uint32_t bits, Register a) {
        const __m256i each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
        const __m256i own = _mm256_and_si256(_mm256_set1_epi32(static_cast<std::int32_t>(bits)), each);
        return {_mm256_and_ps(a.value, _mm256_castsi256_ps(_mm256_cmpeq_epi32(own, each)))};
    }
    static void transpose(std::array<Register, width>& rows) {
        // First the 4×4 squares in each 128-bit half, then the halves.
        __m256 t[width];
        for (std::size_t i = 0; i < width; i += 4) {
            const __m256 lower_ab = _mm256_unpacklo_ps(rows[i].value, rows[i + 1].value);
            const __m256 upper_ab = _mm256_unpackhi_ps(rows[i].value, rows[i + 1].value);
            const __m256 lower_cd = _mm256_unpacklo_ps(rows[i + 2].value, rows[i + 3].value);
            const __m256 upper_cd = _mm256_unpackhi_ps(rows[i + 2].value, rows[i + 3].value);
            t[i] = of_pairs(lower_ab, lower_cd, false);
            t[i + 1] = of_pairs(lower_ab, lower_cd, true);
            t[i + 2] = of_pairs(upper_ab, upper_cd, false);
            t[i + 3] = of_pairs(upper_ab, upper_cd, true);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            rows[k].value = _mm256_permute2f128_ps(t[k], t[4 + k], 0x20);
            rows[4 + k].value = _mm256_permute2f128_ps(t[k], t[4 + k], 0x31);
        }
    }
    static float total(Register a) {
        const __m128 four = _mm_add_ps(_mm256_castps256_ps128(a.value), _mm256_extractf128_ps(a.value, 1));
        const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
    }
    static float largest(Register a) {
        const __m128 four = _mm_max_ps(_mm256_castps256_ps128(a.value), _mm256_extractf128_ps(a.value, 1));
        const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
    }
    static void store_quantized(std::uint8_t* to, Register a) {
        const __m256i integers = quantized_integers(a.value);
        const __m128i sixteen_bits = packed(integers);
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(sixteen_bits, sixteen_bits));
    }

    static void store_quantized_square(std::uint8_t* to, std::uint8_t* below,
                                       const std::array<std::array<Register, 2>, 2>& a) {
        const __m256i upper_row =
            _mm256_packs_epi32(integers_below_256(a[0][0].value), integers_below_256(a[0][1].value));
        const __m256i lower_row =
            _mm256_packs_epi32(integers_below_256(a[1][0].value), integers_below_256(a[1][1].value));
        // Packing works within 128-bit halves, so that each has four channels of every pixel.
        const __m256i by_pixels = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        const __m256i bytes =
            _mm256_permutevar8x32_epi32(_mm256_packus_epi16(upper_row, lower_row), by_pixels);
        const __m128i upper = _mm256_castsi256_si128(bytes);
        const __m128i lower = _mm256_extracti128_si256(bytes, 1);
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to), upper);
        _mm_storeh_pd(reinterpret_cast<double*>(to + 32), _mm_castsi128_pd(upper));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(below), lower);
        _mm_storeh_pd(reinterpret_cast<double*>(below + 32), _mm_castsi128_pd(lower));
    }

    struct Sixteen {
        __m256 lower;
        __m256 upper;
    };
    static Sixteen load_sixteen(const float* from) { return load_sixteen(from, from + width); }
    static Sixteen load_sixteen(const float* lower, const float* upper) {
        return {_mm256_loadu_ps(lower), _mm256_loadu_ps(upper)};
    }
    static Sixteen multiply_sixteen(Sixteen a, Sixteen b) {
        return {_mm256_mul_ps(a.lower, b.lower), _mm256_mul_ps(a.upper, b.upper)};
    }
    static Sixteen add_sixteen(Sixteen a, Sixteen b) {
        return {_mm256_add_ps(a.lower, b.lower), _mm256_add_ps(a.upper, b.upper)};
    }
    static Sixteen broadcast_sixteen(float value) { return {_mm256_set1_ps(value), _mm256_set1_ps(value)}; }
    static Sixteen not_below_zero_sixteen(Sixteen a) {
        return {_mm256_max_ps(a.lower, _mm256_setzero_ps()), _mm256_max_ps(a.upper, _mm256_setzero_ps())};
    }
    static void store_quantized_sixteen(std::uint8_t* to, Sixteen a) {
        // Packing works within 128-bit halves; the permutation restores the order of the groups of four.
        const __m256i sixteen_bits = _mm256_permute4x64_epi64(
            _mm256_packs_epi32(quantized_integers(a.lower), quantized_integers(a.upper)),
            _MM_SHUFFLE(3, 1, 2, 0));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                         _mm_packus_epi16(_mm256_castsi256_si128(sixteen_bits),
                                          _mm256_extracti128_si256(sixteen_bits, 1)));
    }
    static void store_quantized_sixteens(std::uint8_t* to, Sixteen a, Sixteen b) {
        const __m256i words_of_a =
            _mm256_packs_epi32(_mm256_cvtps_epi32(a.lower), _mm256_cvtps_epi32(a.upper));
        const __m256i words_of_b =
            _mm256_packs_epi32(_mm256_cvtps_epi32(b.lower), _mm256_cvtps_epi32(b.upper));
        const __m256i bytes = _mm256_packus_epi16(words_of_a, words_of_b);
        const __m256i in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_permutevar8x32_epi32(bytes, in_order));
    }
    static void store_lower_eight(float* to, Sixteen a) { _mm256_storeu_ps(to, a.lower); }
    static void store_upper_eight(float* to, Sixteen a) { _mm256_storeu_ps(to, a.upper); }

    struct SixteenIntegers {
        __m256i lower;
        __m256i upper;
    };
    static SixteenIntegers load_sixteen_integers(const std::int32_t* from) {
        return {load_integers(from), load_integers(from + width)};
    }
    static SixteenIntegers maximum_sixteen_integers(SixteenIntegers a, SixteenIntegers b) {
        return {_mm256_max_epi32(a.lower, b.lower), _mm256_max_epi32(a.upper, b.upper)};
    }
    static Sixteen to_floats_sixteen(SixteenIntegers a) {
        return {_mm256_cvtepi32_ps(a.lower), _mm256_cvtepi32_ps(a.upper)};
    }

    static constexpr std::size_t doubles_width = 4;
    struct Doubles {
        __m256d value;
    };
    static Doubles load_doubles(const float* from) { return {_mm256_cvtps_pd(_mm_loadu_ps(from))}; }
    static Doubles load_first_doubles(const float* from, std::size_t count) {
        return {_mm256_cvtps_pd(_mm_maskload_ps(from, _mm256_castsi256_si128(first_lanes(count))))};
    }
    static void store_doubles(float* to, Doubles a) { _mm_storeu_ps(to, _mm256_cvtpd_ps(a.value)); }
    static void store_first_doubles(float* to, std::size_t count, Doubles a) {
        _mm_maskstore_ps(to, _mm256_castsi256_si128(first_lanes(count)), _mm256_cvtpd_ps(a.value));
    }
    static Doubles broadcast_double(double value) { return {_mm256_set1_pd(value)}; }
    static Doubles zero_double() { return {_mm256_setzero_pd()}; }
    static Doubles add_double(Doubles a, Doubles b) { return {_mm256_add_pd(a.value, b.value)}; }
    static Doubles subtract_double(Doubles a, Doubles b) { return {_mm256_sub_pd(a.value, b.value)}; }
    static Doubles maximum_double(Doubles a, Doubles b) { return {_mm256_max_pd(a.value, b.value)}; }
    static Doubles multiply_add_double(Doubles a, Doubles b, Doubles c) {
        return {_mm256_fmadd_pd(a.value, b.value, c.value)};
    }
    static Doubles first_doubles(Doubles a, std::size_t count) {
        const __m128i mask = _mm256_castsi256_si128(first_lanes(count));
        return {_mm256_and_pd(a.value, _mm256_castsi256_pd(_mm256_cvtepi32_epi64(mask)))};
    }
    static Doubles nearest_product(Doubles a, Doubles b) {
        // Adding 1.5 · 2^52 rounds to an integer.
        const __m256d shift = _mm256_set1_pd(0x1.8p52);
        return {_mm256_sub_pd(_mm256_fmadd_pd(a.value, b.value, shift), shift)};
    }
    static Doubles scale_by_power_of_two(Doubles a, Doubles n) {
        // The integer is in the low bits of the sum; the lowest bit of the exponent is bit 52.
        const __m256d shifted = _mm256_add_pd(n.value, _mm256_set1_pd(0x1.8p52));
        const __m256i exponent = _mm256_slli_epi64(_mm256_castpd_si256(shifted), 52);
        return {_mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(a.value), exponent))};
    }
    static double total_double(Doubles a) {
        const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(a.value), _mm256_extractf128_pd(a.value, 1));
        return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
    }

    static constexpr std::size_t words = 16;
    struct Words {
        __m256i value;
    };
    static Words broadcast_word(std::int16_t value) { return {_mm256_set1_epi16(value)}; }
    static Words add_words(Words a, Words b) { return {_mm256_add_epi16(a.value, b.value)}; }
    static Words subtract_words(Words a, Words b) { return {_mm256_sub_epi16(a.value, b.value)}; }
    static Words multiply_rounded(Words a, Words b) { return {_mm256_mulhrs_epi16(a.value, b.value)}; }

    static constexpr std::size_t pixel_blocks = 1;
    struct Pixels {
        __m256i value;
    };
    static Pixels load_pixels(const std::uint8_t* from, const std::uint8_t* /*second*/) {
        return {load_bytes(from)};
    }
    /// Of each 128 bits of pixels, the lower eight and the upper eight: the inverse of packing.
    struct PixelWords {
        Words lower;
        Words upper;
    };
    template <int a_weight, int b_weight>
    static PixelWords weighted_pixels(Pixels a, Pixels b) {
        const __m256i weights =
            _mm256_set1_epi16(static_cast<std::int16_t>(b_weight * 256 + (a_weight & 0xff)));
        return {{_mm256_maddubs_epi16(_mm256_unpacklo_epi8(a.value, b.value), weights)},
                {_mm256_maddubs_epi16(_mm256_unpackhi_epi8(a.value, b.value), weights)}};
    }
    template <std::uint8_t zero_point>
    static void store_bytes(std::uint8_t* to, PixelWords a) {
        static_assert(zero_point == 0 || zero_point == 128);
        // Adding 128 maps signed bytes to unsigned ones.
        const __m256i bytes = zero_point == 0
                                  ? _mm256_packus_epi16(a.lower.value, a.upper.value)
                                  : _mm256_xor_si256(_mm256_packs_epi16(a.lower.value, a.upper.value),
                                                     _mm256_set1_epi8(static_cast<char>(0x80)));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), bytes);
    }

    struct Sum {
        __m256i value;
    };
    static Sum zero_sum() { return {_mm256_setzero_si256()}; }
    static Sum load_sum(const std::int32_t* from) { return {load_integers(from)}; }
    static void store_sum(std::int32_t* to, Sum a) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), a.value);
    }
    static std::int32_t total_sum(Sum a) {
        const __m128i four =
            _mm_add_epi32(_mm256_castsi256_si128(a.value), _mm256_extracti128_si256(a.value, 1));
        const __m128i two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
        return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 1)));
    }
    static Register to_floats(Sum a) { return {_mm256_cvtepi32_ps(a.value)}; }
    static Register load_converted(const std::int32_t* from) { return to_floats(load_sum(from)); }
    static Sum load_first_sum(const std::int32_t* from, std::size_t count) {
        return {_mm256_maskload_epi32(from, first_lanes(count))};
    }
    static Sum shift_right(Sum a, int count) { return {_mm256_srli_epi32(a.value, count)}; }
    static Register from_bits_in_mantissa(Sum a, std::int32_t mask, std::int32_t exponent) {
        const __m256i bits = _mm256_and_si256(a.value, _mm256_set1_epi32(mask));
        return {_mm256_castsi256_ps(_mm256_or_si256(bits, _mm256_set1_epi32(exponent)))};
    }
    static Register load_half_scales(const std::uint16_t* from, std::size_t count) {
        std::uint32_t two = 0;
        __builtin_memcpy(&two, from, count * sizeof *from);
        const __m128i each_four_times = _mm_setr_epi8(0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3);
        return {_mm256_cvtph_ps(_mm_shuffle_epi8(_mm_cvtsi32_si128(static_cast<int>(two)), each_four_times))};
    }

  protected:
    /// The lower or upper pairs of floats of each 128-bit half, those of a before those of b.
    static __m256 of_pairs(__m256 a, __m256 b, bool upper) {
        const __m256d x = _mm256_castps_pd(a);
        const __m256d y = _mm256_castps_pd(b);
        return _mm256_castpd_ps(upper ? _mm256_unpackhi_pd(x, y) : _mm256_unpacklo_pd(x, y));
    }
    static __m256i load_bytes(const void* from) {
        return _mm256_loadu_si256(static_cast<const __m256i*>(from));
    }
    /// Works within 128-bit halves: half h of register k has bytes 16 · h + 4 · k and the three after it.
    static void interleave(const std::int8_t* const (&rows)[4], __m256i (&bytes)[4]) {
        const __m256i a = load_bytes(rows[0]);
        const __m256i b = load_bytes(rows[1]);
        const __m256i c = load_bytes(rows[2]);
        const __m256i d = load_bytes(rows[3]);
        const __m256i lower_ab = _mm256_unpacklo_epi8(a, b);
        const __m256i upper_ab = _mm256_unpackhi_epi8(a, b);
        const __m256i lower_cd = _mm256_unpacklo_epi8(c, d);
        const __m256i upper_cd = _mm256_unpackhi_epi8(c, d);
        bytes[0] = _mm256_unpacklo_epi16(lower_ab, lower_cd);
        bytes[1] = _mm256_unpackhi_epi16(lower_ab, lower_cd);
        bytes[2] = _mm256_unpacklo_epi16(upper_ab, upper_cd);
        bytes[3] = _mm256_unpackhi_epi16(upper_ab, upper_cd);
    }
    /// A mask of the first `count` of eight lanes.
    static __m256i first_lanes(std::size_t count) {
        alignas(32) static constexpr std::int32_t window[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(window + 8 - count));
    }
    static __m256i load_integers(const std::int32_t* from) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    }
    /// Clamp before the conversion, which would make too large values negative.
    static __m256i quantized_integers(__m256 a) {
        return _mm256_cvtps_epi32(_mm256_min_ps(a, _mm256_set1_ps(255.0F)));
    }
    /// The same for numbers of both signs, of which those that are no numbers become negative.
    static __m256i integers_below_256(__m256 a) {
        return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_set1_ps(255.0F), a));
    }
    /// Packs eight integers to 16 bits, in order.
    static __m128i packed(__m256i integers) {
        return _mm_packs_epi32(_mm256_castsi256_si128(integers), _mm256_extracti128_si256(integers, 1));
    }
    static __m256i broadcast_bytes(const std::uint8_t* from) {
        std::int32_t quad;  // NOLINT(cppcoreguidelines-init-variables): the copy sets it
        __builtin_memcpy(&quad, from, sizeof quad);
        return _mm256_set1_epi32(quad);
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
