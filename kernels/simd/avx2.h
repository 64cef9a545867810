// AVX2: byte dot products use 16-bit multiplication, because the instruction for bytes (vpmaddubsw) would
// saturate, for example at 255 · 127 + 255 · 127.
#pragma once

#include "kernels/simd/avx2_base.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

struct Vector : Avx2Base {
    /// Registers needed for a quad's products, in addition to the sum.
    static constexpr std::size_t quad_registers = 2;

    /// Bytes 0 and 2 of each group of four, and bytes 1 and 3, widened to 16 bits.
    struct Quad {
        __m256i even;
        __m256i odd;
    };
    using Quads = Quad;
    using QuadWeights = Quad;

    static Quad broadcast_quad(const std::uint8_t* from) { return quads(broadcast_bytes(from)); }
    static Quads load_quads(const std::uint8_t* from) { return quads(load_bytes(from)); }
    static QuadWeights load_quad_weights(const std::int8_t* from) { return quad_weights(load_bytes(from)); }
    static void load_interleaved(const std::int8_t* const (&rows)[4], QuadWeights (&weights)[4]) {
        __m256i bytes[4];
        interleave(rows, bytes);
        for (std::size_t k = 0; k < 4; ++k) weights[k] = quad_weights(bytes[k]);
    }
    static Sum dot4(Quad quad, QuadWeights weights, Sum sum) {
        const __m256i even = _mm256_add_epi32(sum.value, _mm256_madd_epi16(quad.even, weights.even));
        return {_mm256_add_epi32(even, _mm256_madd_epi16(quad.odd, weights.odd))};
    }

  private:
    static Quads quads(__m256i bytes) {
        return {_mm256_and_si256(bytes, _mm256_set1_epi16(0xff)), _mm256_srli_epi16(bytes, 8)};
    }
    static QuadWeights quad_weights(__m256i bytes) {
        return {_mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8), _mm256_srai_epi16(bytes, 8)};
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
