// The vector type of AVX-512 kernels that are written once over a vector type. Only sources that are built
// for that instruction set may include it.
#pragma once

#include <immintrin.h>

#include <cstddef>

namespace vgg19::kernels {
namespace {

struct Avx512 {
    /// Wrapped, so that it can be a template's argument.
    struct Register {
        __m512 value;
    };
    static constexpr std::size_t width = 16;

    static Register zero() { return {_mm512_setzero_ps()}; }
    static Register broadcast(float value) { return {_mm512_set1_ps(value)}; }
    static Register load(const float* from) { return {_mm512_loadu_ps(from)}; }
    static void store(float* to, Register value) { _mm512_storeu_ps(to, value.value); }
    static Register add(Register a, Register b) { return {_mm512_add_ps(a.value, b.value)}; }
    static Register subtract(Register a, Register b) { return {_mm512_sub_ps(a.value, b.value)}; }
    static Register multiply(Register a, Register b) { return {_mm512_mul_ps(a.value, b.value)}; }
    static Register multiply_add(Register a, Register b, Register c) {
        return {_mm512_fmadd_ps(a.value, b.value, c.value)};
    }
    static Register maximum(Register a, Register b) { return {_mm512_max_ps(a.value, b.value)}; }
};

}  // namespace
}  // namespace vgg19::kernels
