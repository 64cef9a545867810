// INT8 Winograd F(4×4, 3×3) on the points 0, 1, −1, ∞, i and −i, as in Meng and Brothers, "Efficient Winograd
// Convolution via Integer Arithmetic" (2019). All factors of the transforms of inputs and outputs are 0 and
// ±1, so that rounding to 8 bits costs about as much accuracy as with F(2×2), while tiles on real points
// (0, ±1, ±2, ∞) lose several times as much.
//
// One dimension of an input tile d and of a filter g, at the real points and at i = e + i f, γ + i δ (the
// values at −i are their conjugates):
//
//   B0 = d0 − d4,  B1 = d1 + d2 + d3 + d4,  B−1 = −d1 + d2 − d3 + d4,  B∞ = d5 − d1,  e = d4 − d2,  f = d3 −
//   d1 G0 = g0,  G1 = (g0 + g1 + g2) / 4,  G−1 = (g0 − g1 + g2) / 4,  G∞ = g2,  γ = (g0 − g2) / 4,  δ = g1 /
//   4
//
// In two dimensions, V and U are tensor products of these, rows first. At 16 pairs of points both factors are
// real. Of the others, one of each pair of conjugates is needed: four (r, i) and four (i, s) with a real
// point, (i, i) and (i, −i). There, an input is a complex number a + i b, a filter, times two, c + i d, and
// three real positions hold what their product needs:
//
//   inputs a, b, a − b;   filters c, d, d − c;   m1 = a c, m2 = b d, m3 = (a − b)(d − c)
//   R = m1 − m2,  I = m1 + m2 + m3
//
// So there are 16 + 3 · 10 = 46 positions. V are 16-bit integers, |V| ≤ 4080 at the position (1, 1), where
// nothing is negative, and ≤ 2040 at all others; they are quantised as
//
//   v[p] = clamp((V[p] · input_multiplier[p] + 2^14 >> 15) + zero_point(p), 0, 255)
//
// and the rest is as in kernels/winograd_int8/winograd_int8.h, except for the output. There, every ISA
// applies the same float operations: x = float(M), k = multiplier, fma(a, b, c) = a · b + c rounded once. At
// a complex position, whose three products are 1, 2, 3,
//
//   m = x1 · k1,  R = fma(−x2, k2, m),  I = fma(x3, k3, fma(x2, k2, m))
//
// For each real row r, with x, k at its real columns s, R and I of (r, i), and b = bias if r = 1, else 0:
//
//   m = fma(x[1], k[1], b),  p = fma(x[−1], k[−1], m),  q = fma(−x[−1], k[−1], m)          (b absent: x · k)
//   z[r] = fma(x[0], k[0], p) + R,  q − I,  p − R,  fma(x[∞], k[∞], q) + I                 for the 4 columns
//
// For the complex row, with (R[s], I[s]) of (i, s), (R+, I+) of (i, i), (R−, I−) of (i, −i),
// S = (R+, I+) + (R−, I−), D = (R+, I+) − (R−, I−), P = (R, I)[1] + (R, I)[−1], Q = (R, I)[1] − (R, I)[−1]:
//
//   Re z[i] = (R[0] + Re P) + Re S,  Re Q − Im D,  Re P − Re S,  (Re Q + Im D) + R[∞]
//   Im z[i] = (I[0] + Im P) + Im S,  Im Q + Re D,  Im P − Im S,  (Im Q − Re D) + I[∞]
//
// For each column, with p = z[1] + z[−1], q = z[1] − z[−1], the pixels of the 4 rows are
//
//   (z[0] + p) + Re z[i],  q − Im z[i],  p − Re z[i],  (q + Im z[i]) + z[∞]
#pragma once

#include <cstddef>

namespace vgg19::kernels::complex_points {

/// The real points in their order: 0, 1, −1, ∞.
inline constexpr std::size_t real_points = 4;
/// Real positions that belong to a complex one.
inline constexpr std::size_t parts = 3;

/// The positions: (r, s) of real points, then the first of the three of (r, i), (i, s), (i, i) and (i, −i).
static constexpr std::size_t real(std::size_t r, std::size_t s) {
    return r * real_points + s;
}
static constexpr std::size_t complex_column(std::size_t r) {
    return real_points * real_points + r * parts;
}
static constexpr std::size_t complex_row(std::size_t s) {
    return complex_column(real_points) + s * parts;
}
inline constexpr std::size_t both_complex = complex_row(real_points);
inline constexpr std::size_t conjugates = both_complex + parts;
static_assert(conjugates + parts == 46);

}  // namespace vgg19::kernels::complex_points
