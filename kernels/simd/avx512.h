// AVX-512: byte dot products use 16-bit multiplication, as in kernels/simd/avx2.h.
#pragma once

#include "kernels/simd/avx512_base.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

struct Vector : Avx512Base {
    /// Registers needed for a quad's products, in addition to the sum.
    static constexpr std::size_t quad_registers = 2;

    /// Bytes 0 and 2 of each group of four, and bytes 1 and 3, widened to 16 bits.
    struct Quad {
        __m512i even;
        __m512i odd;
    };
    using Quads = Quad;
    using QuadWeights = Quad;

    static Quad broadcast_quad(const std::uint8_t* from) { return quads(broadcast_bytes(from)); }
    static Quads load_quads(const std::uint8_t* from) { return quads(_mm512_loadu_si512(from)); }
    static QuadWeights load_quad_weights(const std::int8_t* from) {
        return quad_weights(_mm512_loadu_si512(from));
    }
    static void load_interleaved(const std::int8_t* const (&rows)[4], QuadWeights (&weights)[4]) {
        __m512i bytes[4];
        interleave(rows, bytes);
        for (std::size_t k = 0; k < 4; ++k) weights[k] = quad_weights(bytes[k]);
    }
    static Sum dot4(Quad quad, QuadWeights weights, Sum sum) {
        const __m512i even = _mm512_add_epi32(sum.value, _mm512_madd_epi16(quad.even, weights.even));
        return {_mm512_add_epi32(even, _mm512_madd_epi16(quad.odd, weights.odd))};
    }

  private:
    static Quads quads(__m512i bytes) {
        return {_mm512_and_si512(bytes, _mm512_set1_epi16(0xff)), _mm512_srli_epi16(bytes, 8)};
    }
    static QuadWeights quad_weights(__m512i bytes) {
        return {_mm512_srai_epi16(_mm512_slli_epi16(bytes, 8), 8), _mm512_srai_epi16(bytes, 8)};
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
