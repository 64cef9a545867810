#include "kernels/quantize_activations/quantize_activations.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

namespace {

using Register = Vector::Register;

float positive_maximum(const float* input, std::size_t count) {
    constexpr std::size_t step = Vector::width;
    // Four registers hide the latency of the maximum.
    Register maxima[4] = {Vector::zero(), Vector::zero(), Vector::zero(), Vector::zero()};
    std::size_t i = 0;
    for (; i + 4 * step <= count; i += 4 * step) {
        for (std::size_t k = 0; k < 4; ++k) {
            maxima[k] = Vector::maximum(maxima[k], Vector::load(input + i + k * step));
        }
    }
    for (; i + step <= count; i += step) maxima[0] = Vector::maximum(maxima[0], Vector::load(input + i));
    // Lanes that are not loaded are zero.
    maxima[1] = Vector::maximum(maxima[1], Vector::load_first(input + i, count - i));
    return Vector::largest(
        Vector::maximum(Vector::maximum(maxima[0], maxima[1]), Vector::maximum(maxima[2], maxima[3])));
}

/// A denormal scale has low precision and its inverse may be infinite, so such a range counts as zero.
float scale_of_maximum(float maximum) {
    constexpr float smallest_normal = 0x1p-126F;
    const float scale = maximum / 255.0F;
    return scale < smallest_normal ? 1.0F : scale;
}

}  // namespace

float quantize_activations(const float* input, std::size_t count, std::uint8_t* output) {
    constexpr std::size_t step = 16;
    const float scale = scale_of_maximum(positive_maximum(input, count));
    const Vector::Sixteen inverse = Vector::broadcast_sixteen(1.0F / scale);
    const auto scaled = [inverse](const float* from) {
        return Vector::multiply_sixteen(Vector::not_below_zero_sixteen(Vector::load_sixteen(from)), inverse);
    };
    const auto quantize = [&](const float* from, std::uint8_t* to) {
        Vector::store_quantized_sixteen(to, scaled(from));
    };
    std::size_t i = 0;
    for (; i + 2 * step <= count; i += 2 * step) {
        Vector::store_quantized_sixteens(output + i, scaled(input + i), scaled(input + i + step));
    }
    for (; i + step <= count; i += step) quantize(input + i, output + i);
    if (i == count) return scale;
    float last_values[step] = {};
    std::uint8_t last_bytes[step];
    for (std::size_t k = 0; i + k < count; ++k) last_values[k] = input[i + k];
    quantize(last_values, last_bytes);
    for (std::size_t k = 0; i + k < count; ++k) output[i + k] = last_bytes[k];
    return scale;
}

}  // namespace vgg19::kernels::VGG19_ISA
