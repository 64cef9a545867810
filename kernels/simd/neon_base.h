// Shared by AArch64's ISAs (see kernels/simd/vector.h for the functions). Two hardware registers form one of
// eight floats, so that channel blocks are the same as on AVX2.
#pragma once

#include <arm_neon.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace vgg19::kernels::VGG19_ISA {
namespace {

struct NeonBase {
    static constexpr std::size_t width = 8;
    static constexpr std::size_t registers = 16;

    struct Register {
        float32x4_t lower;
        float32x4_t upper;
    };

    static void prefetch_for_write(const void* line) { __builtin_prefetch(line, 1); }
    static Register zero() { return broadcast(0); }
    static Register broadcast(float value) { return {vdupq_n_f32(value), vdupq_n_f32(value)}; }
    static Register load(const float* from) { return {vld1q_f32(from), vld1q_f32(from + 4)}; }
    static Register load_first(const float* from, std::size_t count) {
        float padded[width] = {};
        for (std::size_t i = 0; i < count; ++i) padded[i] = from[i];
        return load(padded);
    }
    static Register load_once(const float* from) { return load(from); }
    static Register load_every_fourth(const float* from) {
        return {vld4q_f32(from).val[0], vld4q_f32(from + 16).val[0]};
    }
    static void store(float* to, Register a) {
        vst1q_f32(to, a.lower);
        vst1q_f32(to + 4, a.upper);
    }
    static void store_first(float* to, std::size_t count, Register a) {
        float values[width];
        store(values, a);
        for (std::size_t i = 0; i < count; ++i) to[i] = values[i];
    }
    static void store_past_caches(float* to, Register a) { store(to, a); }
    static void finish_stores() {}
    static Register add(Register a, Register b) {
        return {vaddq_f32(a.lower, b.lower), vaddq_f32(a.upper, b.upper)};
    }
    static Register subtract(Register a, Register b) {
        return {vsubq_f32(a.lower, b.lower), vsubq_f32(a.upper, b.upper)};
    }
    static Register multiply(Register a, Register b) {
        return {vmulq_f32(a.lower, b.lower), vmulq_f32(a.upper, b.upper)};
    }
    static Register divide(Register a, Register b) {
        return {vdivq_f32(a.lower, b.lower), vdivq_f32(a.upper, b.upper)};
    }
    static Register multiply_add(Register a, Register b, Register c) { return fused_multiply_add(a, b, c); }
    static Register fused_multiply_add(Register a, Register b, Register c) {
        return {vfmaq_f32(c.lower, a.lower, b.lower), vfmaq_f32(c.upper, a.upper, b.upper)};
    }
    static Register fused_subtract_product(Register c, Register a, Register b) {
        return {vfmsq_f32(c.lower, a.lower, b.lower), vfmsq_f32(c.upper, a.upper, b.upper)};
    }
    static Register maximum(Register a, Register b) {
        return {larger(a.lower, b.lower), larger(a.upper, b.upper)};
    }
    static std::uint32_t greater_lanes(Register a, Register b) {
        const uint32x4_t lower = vandq_u32(vcgtq_f32(a.lower, b.lower), lower_bits());
        const uint32x4_t upper = vandq_u32(vcgtq_f32(a.upper, b.upper), upper_bits());
        return vaddvq_u32(vorrq_u32(lower, upper));
    }
    static Register select_lanes(std::uint32_t bits, Register a) {
        const auto selected = [bits](float32x4_t values, uint32x4_t own) {
            return vreinterpretq_f32_u32(
                vandq_u32(vtstq_u32(vdupq_n_u32(bits), own), vreinterpretq_u32_f32(values)));
        };
        return {selected(a.lower, lower_bits()), selected(a.upper, upper_bits())};
    }
    static void transpose(std::array<Register, width>& rows) {
        for (std::size_t i = 0; i < width; i += 4) {
            transpose_square(rows[i].lower, rows[i + 1].lower, rows[i + 2].lower, rows[i + 3].lower);
            transpose_square(rows[i].upper, rows[i + 1].upper, rows[i + 2].upper, rows[i + 3].upper);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            const float32x4_t upper = rows[k].upper;
            rows[k].upper = rows[4 + k].lower;
            rows[4 + k].lower = upper;
        }
    }
    static float total(Register a) {
        const float32x4_t four = vaddq_f32(a.lower, a.upper);
        const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
        return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
    }
    static float largest(Register a) { return vmaxvq_f32(larger(a.lower, a.upper)); }
    static void store_quantized(std::uint8_t* to, Register a) { vst1_u8(to, quantized(a)); }
    static void store_quantized_square(std::uint8_t* to, std::uint8_t* below,
                                       const std::array<std::array<Register, 2>, 2>& a) {
        // The conversion makes negative numbers, and those that are none, zero.
        vst1_u8(to, quantized(a[0][0]));
        vst1_u8(to + 32, quantized(a[0][1]));
        vst1_u8(below, quantized(a[1][0]));
        vst1_u8(below + 32, quantized(a[1][1]));
    }

    struct Sixteen {
        Register lower;
        Register upper;
    };
    static Sixteen load_sixteen(const float* from) { return load_sixteen(from, from + width); }
    static Sixteen load_sixteen(const float* lower, const float* upper) { return {load(lower), load(upper)}; }
    static Sixteen multiply_sixteen(Sixteen a, Sixteen b) {
        return {multiply(a.lower, b.lower), multiply(a.upper, b.upper)};
    }
    static Sixteen add_sixteen(Sixteen a, Sixteen b) {
        return {add(a.lower, b.lower), add(a.upper, b.upper)};
    }
    static Sixteen broadcast_sixteen(float value) { return {broadcast(value), broadcast(value)}; }
    static Sixteen not_below_zero_sixteen(Sixteen a) {
        return {maximum(a.lower, zero()), maximum(a.upper, zero())};
    }
    static void store_quantized_sixteen(std::uint8_t* to, Sixteen a) {
        vst1q_u8(to, vcombine_u8(quantized(a.lower), quantized(a.upper)));
    }
    static void store_quantized_sixteens(std::uint8_t* to, Sixteen a, Sixteen b) {
        store_quantized_sixteen(to, a);
        store_quantized_sixteen(to + 16, b);
    }
    static void store_lower_eight(float* to, Sixteen a) { store(to, a.lower); }
    static void store_upper_eight(float* to, Sixteen a) { store(to, a.upper); }

    struct Sum {
        int32x4_t lower;
        int32x4_t upper;
    };
    static Sum zero_sum() { return {vdupq_n_s32(0), vdupq_n_s32(0)}; }
    static Sum load_sum(const std::int32_t* from) { return {vld1q_s32(from), vld1q_s32(from + 4)}; }
    static void store_sum(std::int32_t* to, Sum a) {
        vst1q_s32(to, a.lower);
        vst1q_s32(to + 4, a.upper);
    }
    static std::int32_t total_sum(Sum a) { return vaddvq_s32(vaddq_s32(a.lower, a.upper)); }
    static Register to_floats(Sum a) { return {vcvtq_f32_s32(a.lower), vcvtq_f32_s32(a.upper)}; }
    static Register load_converted(const std::int32_t* from) { return to_floats(load_sum(from)); }

    struct SixteenIntegers {
        Sum lower;
        Sum upper;
    };
    static SixteenIntegers load_sixteen_integers(const std::int32_t* from) {
        return {load_sum(from), load_sum(from + width)};
    }
    static SixteenIntegers maximum_sixteen_integers(SixteenIntegers a, SixteenIntegers b) {
        return {{vmaxq_s32(a.lower.lower, b.lower.lower), vmaxq_s32(a.lower.upper, b.lower.upper)},
                {vmaxq_s32(a.upper.lower, b.upper.lower), vmaxq_s32(a.upper.upper, b.upper.upper)}};
    }
    static Sixteen to_floats_sixteen(SixteenIntegers a) { return {to_floats(a.lower), to_floats(a.upper)}; }

    static constexpr std::size_t doubles_width = 4;
    struct Doubles {
        float64x2_t lower;
        float64x2_t upper;
    };
    static Doubles load_doubles(const float* from) {
        const float32x4_t four = vld1q_f32(from);
        return {vcvt_f64_f32(vget_low_f32(four)), vcvt_high_f64_f32(four)};
    }
    static Doubles load_first_doubles(const float* from, std::size_t count) {
        float padded[doubles_width] = {};
        for (std::size_t i = 0; i < count; ++i) padded[i] = from[i];
        return load_doubles(padded);
    }
    static void store_doubles(float* to, Doubles a) {
        vst1q_f32(to, vcvt_high_f32_f64(vcvt_f32_f64(a.lower), a.upper));
    }
    static void store_first_doubles(float* to, std::size_t count, Doubles a) {
        float values[doubles_width];
        store_doubles(values, a);
        for (std::size_t i = 0; i < count; ++i) to[i] = values[i];
    }
    static Doubles broadcast_double(double value) { return {vdupq_n_f64(value), vdupq_n_f64(value)}; }
    static Doubles zero_double() { return broadcast_double(0); }
    static Doubles add_double(Doubles a, Doubles b) {
        return {vaddq_f64(a.lower, b.lower), vaddq_f64(a.upper, b.upper)};
    }
    static Doubles subtract_double(Doubles a, Doubles b) {
        return {vsubq_f64(a.lower, b.lower), vsubq_f64(a.upper, b.upper)};
    }
    static Doubles maximum_double(Doubles a, Doubles b) {
        return {vbslq_f64(vcgtq_f64(a.lower, b.lower), a.lower, b.lower),
                vbslq_f64(vcgtq_f64(a.upper, b.upper), a.upper, b.upper)};
    }
    static Doubles multiply_add_double(Doubles a, Doubles b, Doubles c) {
        return {vfmaq_f64(c.lower, a.lower, b.lower), vfmaq_f64(c.upper, a.upper, b.upper)};
    }
    static Doubles first_doubles(Doubles a, std::size_t count) {
        double values[doubles_width];
        vst1q_f64(values, a.lower);
        vst1q_f64(values + 2, a.upper);
        for (std::size_t i = count; i < doubles_width; ++i) values[i] = 0;
        return {vld1q_f64(values), vld1q_f64(values + 2)};
    }
    static Doubles nearest_product(Doubles a, Doubles b) {
        return {vrndnq_f64(vmulq_f64(a.lower, b.lower)), vrndnq_f64(vmulq_f64(a.upper, b.upper))};
    }
    static Doubles scale_by_power_of_two(Doubles a, Doubles n) {
        return {scaled(a.lower, n.lower), scaled(a.upper, n.upper)};
    }
    static double total_double(Doubles a) {
        const float64x2_t two = vaddq_f64(a.lower, a.upper);
        return vgetq_lane_f64(two, 0) + vgetq_lane_f64(two, 1);
    }

    static constexpr std::size_t words = 16;
    struct Words {
        int16x8_t lower;
        int16x8_t upper;
    };
    static Words broadcast_word(std::int16_t value) { return {vdupq_n_s16(value), vdupq_n_s16(value)}; }
    static Words add_words(Words a, Words b) {
        return {vaddq_s16(a.lower, b.lower), vaddq_s16(a.upper, b.upper)};
    }
    static Words subtract_words(Words a, Words b) {
        return {vsubq_s16(a.lower, b.lower), vsubq_s16(a.upper, b.upper)};
    }
    /// SQRDMULH computes (2 · a · b + 2^15) >> 16, which is equivalent.
    static Words multiply_rounded(Words a, Words b) {
        return {vqrdmulhq_s16(a.lower, b.lower), vqrdmulhq_s16(a.upper, b.upper)};
    }

    static constexpr std::size_t pixel_blocks = 1;
    struct Pixels {
        uint8x16_t lower;
        uint8x16_t upper;
    };
    static Pixels load_pixels(const std::uint8_t* from, const std::uint8_t* /*second*/) {
        return {vld1q_u8(from), vld1q_u8(from + 16)};
    }
    struct PixelWords {
        Words lower;
        Words upper;
    };
    template <int a_weight, int b_weight>
    static PixelWords weighted_pixels(Pixels a, Pixels b) {
        return {weighted<a_weight, b_weight>(a.lower, b.lower),
                weighted<a_weight, b_weight>(a.upper, b.upper)};
    }
    template <std::uint8_t zero_point>
    static void store_bytes(std::uint8_t* to, PixelWords a) {
        store_sixteen_bytes<zero_point>(to, a.lower);
        store_sixteen_bytes<zero_point>(to + 16, a.upper);
    }
    static Sum load_first_sum(const std::int32_t* from, std::size_t count) {
        std::int32_t padded[width] = {};
        __builtin_memcpy(padded, from, count * sizeof *from);
        return load_sum(padded);
    }
    static Sum shift_right(Sum a, int count) {
        const int32x4_t to_the_right = vdupq_n_s32(-count);
        return {vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a.lower), to_the_right)),
                vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a.upper), to_the_right))};
    }
    static Register from_bits_in_mantissa(Sum a, std::int32_t mask, std::int32_t exponent) {
        const int32x4_t masks = vdupq_n_s32(mask);
        const int32x4_t exponents = vdupq_n_s32(exponent);
        return {vreinterpretq_f32_s32(vorrq_s32(vandq_s32(a.lower, masks), exponents)),
                vreinterpretq_f32_s32(vorrq_s32(vandq_s32(a.upper, masks), exponents))};
    }
    static Register load_half_scales(const std::uint16_t* from, std::size_t count) {
        std::uint16_t two[2] = {};
        __builtin_memcpy(two, from, count * sizeof *from);
        return {vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(two[0]))),
                vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(two[1])))};
    }

  protected:
    /// Sixteen bytes of each row at a time: half h of register k has bytes 16 · h + 4 · k and the three after
    /// it.
    static void interleave(const std::int8_t* const (&rows)[4], std::int8_t (&bytes)[4][4 * width]) {
        for (std::size_t h = 0; h < 2; ++h) {
            const int8x16x2_t ac = vzipq_s8(vld1q_s8(rows[0] + 16 * h), vld1q_s8(rows[2] + 16 * h));
            const int8x16x2_t bd = vzipq_s8(vld1q_s8(rows[1] + 16 * h), vld1q_s8(rows[3] + 16 * h));
            for (std::size_t part = 0; part < 2; ++part) {
                const int8x16x2_t abcd = vzipq_s8(ac.val[part], bd.val[part]);
                vst1q_s8(bytes[2 * part] + 16 * h, abcd.val[0]);
                vst1q_s8(bytes[2 * part + 1] + 16 * h, abcd.val[1]);
            }
        }
    }

  private:
    static uint32x4_t lower_bits() { return uint32x4_t{1, 2, 4, 8}; }
    static uint32x4_t upper_bits() { return uint32x4_t{16, 32, 64, 128}; }
    static void transpose_square(float32x4_t& a, float32x4_t& b, float32x4_t& c, float32x4_t& d) {
        const float32x4_t lower_ac = vzip1q_f32(a, c);
        const float32x4_t upper_ac = vzip2q_f32(a, c);
        const float32x4_t lower_bd = vzip1q_f32(b, d);
        const float32x4_t upper_bd = vzip2q_f32(b, d);
        a = vzip1q_f32(lower_ac, lower_bd);
        b = vzip2q_f32(lower_ac, lower_bd);
        c = vzip1q_f32(upper_ac, upper_bd);
        d = vzip2q_f32(upper_ac, upper_bd);
    }
    static float32x4_t larger(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
    /// The saturating conversion to bytes also clamps to 255.
    static uint8x8_t quantized(Register a) {
        return vqmovn_u16(
            vcombine_u16(vqmovn_u32(vcvtnq_u32_f32(a.lower)), vqmovn_u32(vcvtnq_u32_f32(a.upper))));
    }
    template <int a_weight, int b_weight>
    static Words weighted(uint8x16_t a, uint8x16_t b) {
        return {weighted<a_weight, b_weight>(vget_low_u8(a), vget_low_u8(b)),
                weighted<a_weight, b_weight>(vget_high_u8(a), vget_high_u8(b))};
    }
    template <int a_weight, int b_weight>
    static int16x8_t weighted(uint8x8_t a, uint8x8_t b) {
        if constexpr (a_weight == b_weight) {
            return vmulq_n_s16(vreinterpretq_s16_u16(vaddl_u8(a, b)), a_weight);
        } else if constexpr (a_weight == -b_weight) {
            return vmulq_n_s16(vreinterpretq_s16_u16(vsubl_u8(a, b)), a_weight);
        } else {
            return vmlaq_n_s16(vmulq_n_s16(vreinterpretq_s16_u16(vmovl_u8(a)), a_weight),
                               vreinterpretq_s16_u16(vmovl_u8(b)), b_weight);
        }
    }
    template <std::uint8_t zero_point>
    static void store_sixteen_bytes(std::uint8_t* to, Words a) {
        static_assert(zero_point == 0 || zero_point == 128);
        if constexpr (zero_point == 0) {
            vst1q_u8(to, vcombine_u8(vqmovun_s16(a.lower), vqmovun_s16(a.upper)));
        } else {
            // Adding 128 maps signed bytes to unsigned ones.
            const int8x16_t bytes = vcombine_s8(vqmovn_s16(a.lower), vqmovn_s16(a.upper));
            vst1q_u8(to, veorq_u8(vreinterpretq_u8_s8(bytes), vdupq_n_u8(0x80)));
        }
    }
    static float64x2_t scaled(float64x2_t a, float64x2_t n) {
        const int64x2_t exponent = vshlq_n_s64(vcvtq_s64_f64(n), 52);
        return vreinterpretq_f64_s64(vaddq_s64(vreinterpretq_s64_f64(a), exponent));
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
