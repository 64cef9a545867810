// The vector type of AVX2 kernels that are written once over a vector type. Only sources that are built for
// that instruction set may include it.
#pragma once

#include <immintrin.h>

#include <cstddef>

namespace vgg19::kernels {
namespace {

struct Avx2 {
    /// Wrapped, so that it can be a template's argument.
    struct Register {
        __m256 value;
    };
    static constexpr std::size_t width = 8;

    static Register zero() { return {_mm256_setzero_ps()}; }
    static Register broadcast(float value) { return {_mm256_set1_ps(value)}; }
    static Register load(const float* from) { return {_mm256_loadu_ps(from)}; }
    static void store(float* to, Register value) { _mm256_storeu_ps(to, value.value); }
    static Register add(Register a, Register b) { return {_mm256_add_ps(a.value, b.value)}; }
    static Register subtract(Register a, Register b) { return {_mm256_sub_ps(a.value, b.value)}; }
    static Register multiply(Register a, Register b) { return {_mm256_mul_ps(a.value, b.value)}; }
    static Register multiply_add(Register a, Register b, Register c) {
        return {_mm256_fmadd_ps(a.value, b.value, c.value)};
    }
    static Register maximum(Register a, Register b) { return {_mm256_max_ps(a.value, b.value)}; }
};

}  // namespace
}  // namespace vgg19::kernels
