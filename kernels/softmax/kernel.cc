#include "kernels/simd/vector.h"
#include "kernels/softmax/softmax.h"

namespace vgg19::kernels::VGG19_ISA {

namespace {

// exp(x) in double, for −∞ < x ≤ 0:
//
//   x = n · ln 2 + r with n = round(x / ln 2), so |r| ≤ ln 2 / 2, and exp(x) = 2^n · exp(r)
//   exp(r) ≈ Σ_k r^k / k! for k ≤ 7 (Taylor, evaluated by Horner's rule)
//
// The first term left out bounds the relative error: (ln 2 / 2)^8 / 8! / exp(−ln 2 / 2) < 8e-9. Double
// instead of float, because the difference of two floats is rounded to 4e-6 where it is near 64, and exp
// turns an absolute error into a relative one.
constexpr double inverse_ln2 = 0x1.71547652b82fep+0;
constexpr double ln2 = 0x1.62e42fefa39efp-1;
constexpr double inverse_factorials[] = {1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24,
                                         1.0 / 6,    1.0 / 2,   1.0,       1.0};
/// exp of smaller arguments is zero as a float; 2^n is still a normal double.
constexpr double smallest_exponent = -700;

using Doubles = Vector::Doubles;
constexpr std::size_t step = Vector::doubles_width;

Doubles exponential(Doubles x) {
    x = Vector::maximum_double(x, Vector::broadcast_double(smallest_exponent));
    const Doubles n = Vector::nearest_product(x, Vector::broadcast_double(inverse_ln2));
    const Doubles r = Vector::multiply_add_double(n, Vector::broadcast_double(-ln2), x);
    Doubles power = Vector::broadcast_double(inverse_factorials[0]);
    for (std::size_t k = 1; k < 8; ++k) {
        power = Vector::multiply_add_double(power, r, Vector::broadcast_double(inverse_factorials[k]));
    }
    return Vector::scale_by_power_of_two(power, n);
}

float maximum_of(const float* values, std::size_t count) {
    Vector::Register maxima = Vector::broadcast(values[0]);
    std::size_t i = 0;
    for (; i + Vector::width <= count; i += Vector::width) {
        maxima = Vector::maximum(maxima, Vector::load(values + i));
    }
    float largest = Vector::largest(maxima);
    for (; i < count; ++i) largest = values[i] > largest ? values[i] : largest;
    return largest;
}

}  // namespace

void softmax(const float* logits, std::size_t count, float* probabilities) {
    if (count == 0) return;
    const Doubles maximum = Vector::broadcast_double(static_cast<double>(maximum_of(logits, count)));
    Doubles sums = Vector::zero_double();
    std::size_t i = 0;
    for (; i + step <= count; i += step) {
        const Doubles powers =
            exponential(Vector::subtract_double(Vector::load_doubles(logits + i), maximum));
        Vector::store_doubles(probabilities + i, powers);
        sums = Vector::add_double(sums, powers);
    }
    const std::size_t rest = count - i;
    const Doubles last = Vector::load_first_doubles(logits + i, rest);
    const Doubles powers = exponential(Vector::subtract_double(last, maximum));
    Vector::store_first_doubles(probabilities + i, rest, powers);
    sums = Vector::add_double(sums, Vector::first_doubles(powers, rest));

    const auto inverse = static_cast<float>(1 / Vector::total_double(sums));
    for (i = 0; i < count; ++i) probabilities[i] *= inverse;
}

}  // namespace vgg19::kernels::VGG19_ISA
