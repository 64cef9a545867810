// How the vector kernels of this family compute exp(x) in double, for −∞ < x ≤ 0.
//
//   x = n · ln 2 + r with n = round(x / ln 2), so |r| ≤ ln 2 / 2, and exp(x) = 2^n · exp(r)
//   exp(r) ≈ Σ_k r^k / k! for k ≤ 7 (Taylor, evaluated by Horner's rule)
//
// The first term left out bounds the relative error: (ln 2 / 2)^8 / 8! / exp(−ln 2 / 2) < 8e-9. Double and
// not float, because the difference of two floats is rounded to 4e-6 where it is near 64, and exp turns an
// absolute error into a relative one.
#pragma once

namespace vgg19::kernels {

static constexpr double inverse_ln2 = 0x1.71547652b82fep+0;
static constexpr double ln2 = 0x1.62e42fefa39efp-1;
/// Of 1 / k!, from k = 7 down to 0.
static constexpr double taylor[] = {1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2, 1.0, 1.0};
/// exp of anything less is zero as a float; 2^n stays a normal double.
static constexpr double smallest_exponent = -700;

}  // namespace vgg19::kernels
