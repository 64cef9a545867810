// Baseline NEON of every AArch64 CPU: byte dot products use 16-bit multiplication.
#pragma once

#include "kernels/simd/neon_base.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

struct Vector : NeonBase {
    static constexpr std::size_t quad_registers = 2;

    /// Four channels, repeated for two lanes.
    struct Quad {
        int16x8_t value;
    };
    /// Four channels each for two lanes.
    struct QuadWeights {
        int16x8_t value[4];
    };

    using Quads = QuadWeights;

    static Quads load_quads(const std::uint8_t* from) {
        return {{widened(from), widened(from + 8), widened(from + 16), widened(from + 24)}};
    }
    static Sum dot4(Quads quads, QuadWeights weights, Sum sum) {
        return {vaddq_s32(sum.lower,
                          four_lanes(quads.value[0], quads.value[1], weights.value[0], weights.value[1])),
                vaddq_s32(sum.upper,
                          four_lanes(quads.value[2], quads.value[3], weights.value[2], weights.value[3]))};
    }
    static Quad broadcast_quad(const std::uint8_t* from) {
        std::uint32_t quad;  // NOLINT(cppcoreguidelines-init-variables): the copy sets it
        __builtin_memcpy(&quad, from, sizeof quad);
        return {vreinterpretq_s16_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(quad))))};
    }
    static QuadWeights load_quad_weights(const std::int8_t* from) {
        return {{vmovl_s8(vld1_s8(from)), vmovl_s8(vld1_s8(from + 8)), vmovl_s8(vld1_s8(from + 16)),
                 vmovl_s8(vld1_s8(from + 24))}};
    }
    static Sum dot4(Quad quad, QuadWeights weights, Sum sum) {
        return {vaddq_s32(sum.lower, four_lanes(quad.value, quad.value, weights.value[0], weights.value[1])),
                vaddq_s32(sum.upper, four_lanes(quad.value, quad.value, weights.value[2], weights.value[3]))};
    }
    static void load_interleaved(const std::int8_t* const (&rows)[4], QuadWeights (&weights)[4]) {
        std::int8_t bytes[4][4 * width];
        interleave(rows, bytes);
        for (std::size_t k = 0; k < 4; ++k) weights[k] = load_quad_weights(bytes[k]);
    }

  private:
    static int16x8_t widened(const std::uint8_t* from) {
        return vreinterpretq_s16_u16(vmovl_u8(vld1_u8(from)));
    }
    static int32x4_t four_lanes(int16x8_t quads, int16x8_t next_quads, int16x8_t first, int16x8_t second) {
        const int32x4_t a = vmull_s16(vget_low_s16(quads), vget_low_s16(first));
        const int32x4_t b = vmull_high_s16(quads, first);
        const int32x4_t c = vmull_s16(vget_low_s16(next_quads), vget_low_s16(second));
        const int32x4_t d = vmull_high_s16(next_quads, second);
        return vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
