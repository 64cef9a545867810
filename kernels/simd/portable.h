// Needs no instruction set: vectors of fixed width in the extension of GCC and Clang, which compile them for
// any target.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/simd/interleaved.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

struct Vector {
    static constexpr std::size_t width = 8;
    static constexpr std::size_t registers = 16;

    using Floats = float __attribute__((vector_size(width * sizeof(float))));
    using Integers = std::int32_t __attribute__((vector_size(width * sizeof(std::int32_t))));

    struct Register {
        Floats value;
    };

    static void prefetch_for_write(const void* line) { __builtin_prefetch(line, 1); }
    static Register zero() { return {Floats{}}; }
    static Register broadcast(float value) { return {Floats{} + value}; }
    static Register load(const float* from) { return {copy_of<Floats>(from)}; }
    static Register load_first(const float* from, std::size_t count) {
        Floats value{};
        for (std::size_t i = 0; i < count; ++i) value[i] = from[i];
        return {value};
    }
    static Register load_once(const float* from) { return load(from); }
    static Register load_every_fourth(const float* from) {
        return {Floats{from[0], from[4], from[8], from[12], from[16], from[20], from[24], from[28]}};
    }
    static void store(float* to, Register a) { __builtin_memcpy(to, &a.value, sizeof a.value); }
    static void store_first(float* to, std::size_t count, Register a) {
        for (std::size_t i = 0; i < count; ++i) to[i] = a.value[i];
    }
    static void store_past_caches(float* to, Register a) { store(to, a); }
    static void finish_stores() {}
    static Register add(Register a, Register b) { return {a.value + b.value}; }
    static Register subtract(Register a, Register b) { return {a.value - b.value}; }
    static Register multiply(Register a, Register b) { return {a.value * b.value}; }
    static Register divide(Register a, Register b) { return {a.value / b.value}; }
    static Register multiply_add(Register a, Register b, Register c) { return {a.value * b.value + c.value}; }
    /// Computed in double, where the product is exact. The result equals a single rounding, unless rounding
    /// the double sum makes it exactly half-way between two floats (about once in 2^29).
    static Register fused_multiply_add(Register a, Register b, Register c) {
        const EightDoubles sum = in_double(a.value) * in_double(b.value) + in_double(c.value);
        return {__builtin_convertvector(sum, Floats)};
    }
    static Register fused_subtract_product(Register c, Register a, Register b) {
        return fused_multiply_add({-a.value}, b, c);
    }
    static Register maximum(Register a, Register b) { return {a.value > b.value ? a.value : b.value}; }
    static std::uint32_t greater_lanes(Register a, Register b) {
        const Integers own = (a.value > b.value) & Integers{1, 2, 4, 8, 16, 32, 64, 128};
        std::int32_t bits = 0;
        for (std::size_t i = 0; i < width; ++i) bits |= own[i];
        return static_cast<std::uint32_t>(bits);
    }
    static Register select_lanes(std::uint32_t bits, Register a) {
        const Integers each = {1, 2, 4, 8, 16, 32, 64, 128};
        const Integers own = (Integers{} + static_cast<std::int32_t>(bits)) & each;
        return {own == each ? a.value : Floats{}};
    }
    static void transpose(std::array<Register, width>& rows) {
        float values[width][width];
        for (std::size_t i = 0; i < width; ++i) store(values[i], rows[i]);
        for (std::size_t i = 0; i < width; ++i) {
            for (std::size_t j = 0; j < width; ++j) rows[i].value[j] = values[j][i];
        }
    }
    static float total(Register a) {
        float sums[4];
        for (std::size_t i = 0; i < 4; ++i) sums[i] = a.value[i] + a.value[i + 4];
        return (sums[0] + sums[2]) + (sums[1] + sums[3]);
    }
    static float largest(Register a) {
        float found = a.value[0];
        for (std::size_t i = 1; i < width; ++i) found = found > a.value[i] ? found : a.value[i];
        return found;
    }
    static void store_quantized(std::uint8_t* to, Register a) {
        const Floats most = Floats{} + 255.0F;
        // Adding 1.5 · 2^23 rounds to an integer, which is then in the low bits.
        const Floats shifted = (a.value < most ? a.value : most) + 0x1.8p23F;
        using EightBytes = std::uint8_t __attribute__((vector_size(width)));
        const EightBytes bytes = __builtin_convertvector(copy_of<Integers>(&shifted), EightBytes);
        __builtin_memcpy(to, &bytes, sizeof bytes);
    }
    static void store_quantized_square(std::uint8_t* to, std::uint8_t* below,
                                       const std::array<std::array<Register, 2>, 2>& a) {
        store_quantized(to, maximum(a[0][0], zero()));
        store_quantized(to + 32, maximum(a[0][1], zero()));
        store_quantized(below, maximum(a[1][0], zero()));
        store_quantized(below + 32, maximum(a[1][1], zero()));
    }

    struct Sixteen {
        Floats lower;
        Floats upper;
    };
    static Sixteen load_sixteen(const float* from) { return load_sixteen(from, from + width); }
    static Sixteen load_sixteen(const float* lower, const float* upper) {
        return {copy_of<Floats>(lower), copy_of<Floats>(upper)};
    }
    static Sixteen multiply_sixteen(Sixteen a, Sixteen b) { return {a.lower * b.lower, a.upper * b.upper}; }
    static Sixteen add_sixteen(Sixteen a, Sixteen b) { return {a.lower + b.lower, a.upper + b.upper}; }
    static Sixteen broadcast_sixteen(float value) { return {Floats{} + value, Floats{} + value}; }
    static Sixteen not_below_zero_sixteen(Sixteen a) {
        return {maximum({a.lower}, zero()).value, maximum({a.upper}, zero()).value};
    }
    static void store_quantized_sixteen(std::uint8_t* to, Sixteen a) {
        store_quantized(to, {a.lower});
        store_quantized(to + width, {a.upper});
    }
    static void store_quantized_sixteens(std::uint8_t* to, Sixteen a, Sixteen b) {
        store_quantized_sixteen(to, a);
        store_quantized_sixteen(to + 16, b);
    }
    static void store_lower_eight(float* to, Sixteen a) { store(to, {a.lower}); }
    static void store_upper_eight(float* to, Sixteen a) { store(to, {a.upper}); }

    struct SixteenIntegers {
        Integers lower;
        Integers upper;
    };
    static SixteenIntegers load_sixteen_integers(const std::int32_t* from) {
        return {copy_of<Integers>(from), copy_of<Integers>(from + width)};
    }
    static SixteenIntegers maximum_sixteen_integers(SixteenIntegers a, SixteenIntegers b) {
        return {a.lower > b.lower ? a.lower : b.lower, a.upper > b.upper ? a.upper : b.upper};
    }
    static Sixteen to_floats_sixteen(SixteenIntegers a) {
        return {__builtin_convertvector(a.lower, Floats), __builtin_convertvector(a.upper, Floats)};
    }

    static constexpr std::size_t doubles_width = 4;
    using FourDoubles = double __attribute__((vector_size(doubles_width * sizeof(double))));
    using FourFloats = float __attribute__((vector_size(doubles_width * sizeof(float))));
    struct Doubles {
        FourDoubles value;
    };
    static Doubles load_doubles(const float* from) {
        return {__builtin_convertvector(copy_of<FourFloats>(from), FourDoubles)};
    }
    static Doubles load_first_doubles(const float* from, std::size_t count) {
        FourDoubles value{};
        for (std::size_t i = 0; i < count; ++i) value[i] = static_cast<double>(from[i]);
        return {value};
    }
    static void store_doubles(float* to, Doubles a) {
        const FourFloats value = __builtin_convertvector(a.value, FourFloats);
        __builtin_memcpy(to, &value, sizeof value);
    }
    static void store_first_doubles(float* to, std::size_t count, Doubles a) {
        for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<float>(a.value[i]);
    }
    static Doubles broadcast_double(double value) { return {FourDoubles{} + value}; }
    static Doubles zero_double() { return {FourDoubles{}}; }
    static Doubles add_double(Doubles a, Doubles b) { return {a.value + b.value}; }
    static Doubles subtract_double(Doubles a, Doubles b) { return {a.value - b.value}; }
    static Doubles maximum_double(Doubles a, Doubles b) { return {a.value > b.value ? a.value : b.value}; }
    static Doubles multiply_add_double(Doubles a, Doubles b, Doubles c) {
        return {a.value * b.value + c.value};
    }
    static Doubles first_doubles(Doubles a, std::size_t count) {
        for (std::size_t i = count; i < doubles_width; ++i) a.value[i] = 0;
        return a;
    }
    static Doubles nearest_product(Doubles a, Doubles b) {
        constexpr double shift = 0x1.8p52;
        const FourDoubles shifted = a.value * b.value + shift;
        return {shifted - shift};
    }
    static Doubles scale_by_power_of_two(Doubles a, Doubles n) {
        using Bits = std::int64_t __attribute__((vector_size(sizeof(FourDoubles))));
        // The integer is in the low bits of the sum; the lowest bit of the exponent is bit 52.
        const FourDoubles shifted = n.value + 0x1.8p52;
        Bits exponent;
        Bits bits;
        __builtin_memcpy(&exponent, &shifted, sizeof exponent);
        __builtin_memcpy(&bits, &a.value, sizeof bits);
        bits += exponent << 52;
        __builtin_memcpy(&a.value, &bits, sizeof bits);
        return a;
    }
    static double total_double(Doubles a) { return (a.value[0] + a.value[2]) + (a.value[1] + a.value[3]); }

    static constexpr std::size_t words = 16;
    using SixteenWords = std::int16_t __attribute__((vector_size(words * sizeof(std::int16_t))));
    using SixteenBytes = std::uint8_t __attribute__((vector_size(words)));
    using SixteenWide = std::int32_t __attribute__((vector_size(words * sizeof(std::int32_t))));
    struct Words {
        SixteenWords value;
    };
    static Words broadcast_word(std::int16_t value) { return {SixteenWords{} + value}; }
    // Unsigned, because a sum that leaves 16 bits wraps, as on the other ISAs.
    using UnsignedWords = std::uint16_t __attribute__((vector_size(words * sizeof(std::uint16_t))));
    static Words add_words(Words a, Words b) {
        return {reinterpret_cast<SixteenWords>(reinterpret_cast<UnsignedWords>(a.value) +
                                               reinterpret_cast<UnsignedWords>(b.value))};
    }
    static Words subtract_words(Words a, Words b) {
        return {reinterpret_cast<SixteenWords>(reinterpret_cast<UnsignedWords>(a.value) -
                                               reinterpret_cast<UnsignedWords>(b.value))};
    }
    static Words multiply_rounded(Words a, Words b) {
        const SixteenWide product =
            __builtin_convertvector(a.value, SixteenWide) * __builtin_convertvector(b.value, SixteenWide);
        return {__builtin_convertvector((product + (1 << 14)) >> 15, SixteenWords)};
    }

    static constexpr std::size_t pixel_blocks = 1;
    struct Pixels {
        SixteenBytes lower;
        SixteenBytes upper;
    };
    static Pixels load_pixels(const std::uint8_t* from, const std::uint8_t* /*second*/) {
        return {copy_of<SixteenBytes>(from), copy_of<SixteenBytes>(from + words)};
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
        store_sixteen_bytes<zero_point>(to + words, a.upper);
    }

    struct Sum {
        Integers value;
    };
    static Sum zero_sum() { return {Integers{}}; }
    static Sum load_sum(const std::int32_t* from) { return {copy_of<Integers>(from)}; }
    static void store_sum(std::int32_t* to, Sum a) { __builtin_memcpy(to, &a.value, sizeof a.value); }
    static std::int32_t total_sum(Sum a) {
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < width; ++i) sum += a.value[i];
        return sum;
    }
    static Register to_floats(Sum a) { return {__builtin_convertvector(a.value, Floats)}; }
    static Register load_converted(const std::int32_t* from) { return to_floats(load_sum(from)); }

    static constexpr std::size_t quad_registers = 2;
    /// Bytes 0 and 2 of each group of four, and bytes 1 and 3, widened to 16 bits.
    struct Quad {
        SixteenWords even;
        SixteenWords odd;
    };
    using Quads = Quad;
    using QuadWeights = Quad;
    static Quads load_quads(const std::uint8_t* from) {
        const auto bytes = copy_of<SixteenWords>(from);
        const SixteenWords lowest = SixteenWords{} + std::int16_t{0xff};
        return {bytes & lowest, (bytes >> 8) & lowest};
    }
    static Quad broadcast_quad(const std::uint8_t* from) {
        const auto even = static_cast<std::int32_t>(from[0] | from[2] << 16);
        const auto odd = static_cast<std::int32_t>(from[1] | from[3] << 16);
        return {as_words(Integers{} + even), as_words(Integers{} + odd)};
    }
    static QuadWeights load_quad_weights(const std::int8_t* from) {
        const auto bytes = copy_of<SixteenWords>(from);
        return {(bytes << 8) >> 8, bytes >> 8};
    }
    static Sum dot4(Quad quad, QuadWeights weights, Sum sum) {
        return {sum.value + pairs(quad.even, weights.even) + pairs(quad.odd, weights.odd)};
    }
    static void load_interleaved(const std::int8_t* const (&rows)[4], QuadWeights (&weights)[4]) {
        std::int8_t bytes[4][4 * width];
        for (std::size_t i = 0; i < 4 * width; ++i) {
            const std::size_t place = interleaved_place<width>(i);
            for (std::size_t r = 0; r < 4; ++r) bytes[place / width][place % width * 4 + r] = rows[r][i];
        }
        for (std::size_t k = 0; k < 4; ++k) weights[k] = load_quad_weights(bytes[k]);
    }

    static Sum load_first_sum(const std::int32_t* from, std::size_t count) {
        std::int32_t padded[width] = {};
        __builtin_memcpy(padded, from, count * sizeof *from);
        return load_sum(padded);
    }
    static Sum shift_right(Sum a, int count) {
        using Unsigned = std::uint32_t __attribute__((vector_size(sizeof(Integers))));
        const auto shifted = copy_of<Unsigned>(&a.value) >> static_cast<std::uint32_t>(count);
        return {copy_of<Integers>(&shifted)};
    }
    static Register from_bits_in_mantissa(Sum a, std::int32_t mask, std::int32_t exponent) {
        const Integers bits = (a.value & mask) | exponent;
        return {copy_of<Floats>(&bits)};
    }
    static Register load_half_scales(const std::uint16_t* from, std::size_t count) {
        Floats scales{};
        for (std::size_t i = 0; i < 4 * count; ++i) scales[i] = float_of_half(from[i / 4]);
        return {scales};
    }

  private:
    template <int a_weight, int b_weight>
    static Words weighted(SixteenBytes a, SixteenBytes b) {
        return {__builtin_convertvector(a, SixteenWords) * std::int16_t{a_weight} +
                __builtin_convertvector(b, SixteenWords) * std::int16_t{b_weight}};
    }
    template <std::uint8_t zero_point>
    static void store_sixteen_bytes(std::uint8_t* to, Words a) {
        const SixteenWords least = SixteenWords{} - std::int16_t{zero_point};
        const SixteenWords most = least + std::int16_t{255};
        const SixteenWords not_less = a.value > least ? a.value : least;
        const SixteenWords clamped = (not_less < most ? not_less : most) + std::int16_t{zero_point};
        const SixteenBytes bytes = __builtin_convertvector(clamped, SixteenBytes);
        __builtin_memcpy(to, &bytes, sizeof bytes);
    }

    using EightDoubles = double __attribute__((vector_size(width * sizeof(double))));

    template <class Value, class Element>
    static Value copy_of(const Element* from) {
        Value value;
        __builtin_memcpy(&value, from, sizeof value);
        return value;
    }
    /// For a finite half; float16_value (kernels/common/float16.h) explains it.
    static float float_of_half(std::uint16_t half) {
        constexpr std::uint32_t smallest_normal = 0x0400;
        const std::uint32_t magnitude = half & 0x7FFFU;
        const bool is_subnormal = magnitude < smallest_normal;
        const std::uint32_t bits =
            ((magnitude + (is_subnormal ? smallest_normal : 0)) << 13U) + (112U << 23U);
        float value = 0;
        __builtin_memcpy(&value, &bits, sizeof value);
        if (is_subnormal) value -= 0x1p-14F;
        return half < 0x8000U ? value : -value;
    }
    static EightDoubles in_double(Floats a) { return __builtin_convertvector(a, EightDoubles); }
    static SixteenWords as_words(Integers a) { return copy_of<SixteenWords>(&a); }
    /// Sums of products of neighbouring words.
    static Integers pairs(SixteenWords a, SixteenWords b) {
        const auto x = copy_of<Integers>(&a);
        const auto y = copy_of<Integers>(&b);
        return ((x << 16) >> 16) * ((y << 16) >> 16) + (x >> 16) * (y >> 16);
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
