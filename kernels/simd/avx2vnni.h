// AVX2 with AVX-VNNI, which computes exact dot products of four bytes per lane.
#pragma once

#include "kernels/simd/avx2_base.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

struct Vector : Avx2Base {
    static constexpr std::size_t quad_registers = 1;

    using Quad = Sum;
    using Quads = Sum;
    using QuadWeights = Sum;

    static Quad broadcast_quad(const std::uint8_t* from) { return {broadcast_bytes(from)}; }
    static Quads load_quads(const std::uint8_t* from) { return {load_bytes(from)}; }
    static QuadWeights load_quad_weights(const std::int8_t* from) { return {load_bytes(from)}; }
    static void load_interleaved(const std::int8_t* const (&rows)[4], QuadWeights (&weights)[4]) {
        __m256i bytes[4];
        interleave(rows, bytes);
        for (std::size_t k = 0; k < 4; ++k) weights[k] = {bytes[k]};
    }
    static Sum dot4(Quad quad, QuadWeights weights, Sum sum) {
        return {_mm256_dpbusd_avx_epi32(sum.value, quad.value, weights.value)};
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
