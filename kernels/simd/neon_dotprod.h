// NEON with dot products of bytes of equal signedness: an unsigned byte u is converted to the signed u − 128,
// and 128 · Σ weights is added back.
#pragma once

#include "kernels/simd/neon_base.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

struct Vector : NeonBase {
    static constexpr std::size_t quad_registers = 2;

    struct Quad {
        int8x16_t value;
    };
    struct QuadWeights {
        int8x16_t lower;
        int8x16_t upper;
    };

    using Quads = QuadWeights;

    static Quads load_quads(const std::uint8_t* from) {
        return {vreinterpretq_s8_u8(veorq_u8(vld1q_u8(from), vdupq_n_u8(0x80))),
                vreinterpretq_s8_u8(veorq_u8(vld1q_u8(from + 16), vdupq_n_u8(0x80)))};
    }
    static Sum dot4(Quads quads, QuadWeights weights, Sum sum) {
        return {vdotq_s32(sum_of_128(weights.lower, sum.lower), quads.lower, weights.lower),
                vdotq_s32(sum_of_128(weights.upper, sum.upper), quads.upper, weights.upper)};
    }
    static Quad broadcast_quad(const std::uint8_t* from) {
        std::uint32_t quad;  // NOLINT(cppcoreguidelines-init-variables): the copy sets it
        __builtin_memcpy(&quad, from, sizeof quad);
        return {vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_u32(vdupq_n_u32(quad)), vdupq_n_u8(0x80)))};
    }
    static QuadWeights load_quad_weights(const std::int8_t* from) {
        return {vld1q_s8(from), vld1q_s8(from + 16)};
    }
    static Sum dot4(Quad quad, QuadWeights weights, Sum sum) {
        return {vdotq_s32(sum_of_128(weights.lower, sum.lower), quad.value, weights.lower),
                vdotq_s32(sum_of_128(weights.upper, sum.upper), quad.value, weights.upper)};
    }
    static void load_interleaved(const std::int8_t* const (&rows)[4], QuadWeights (&weights)[4]) {
        std::int8_t bytes[4][4 * width];
        interleave(rows, bytes);
        for (std::size_t k = 0; k < 4; ++k) weights[k] = load_quad_weights(bytes[k]);
    }

  private:
    static int32x4_t sum_of_128(int8x16_t weights, int32x4_t sum) {
        // 128 does not fit a signed byte, so subtract −64 · Σ weights twice.
        const int8x16_t minus_64 = vdupq_n_s8(-64);
        const int32x4_t minus = vdotq_s32(vdotq_s32(vdupq_n_s32(0), weights, minus_64), weights, minus_64);
        return vsubq_s32(sum, minus);
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
