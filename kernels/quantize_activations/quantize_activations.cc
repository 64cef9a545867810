#include "kernels/quantize_activations/quantize_activations.h"

#include <algorithm>
#include <cmath>

#include "kernels/quantize_activations/scale.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<QuantizeActivationsFunction> kernels[] = {
#define VGG19_KERNEL(name, isa) {#name, Isa::isa, name},
#include "kernels/quantize_activations/kernels.inc"
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<QuantizeActivationsFunction>> quantize_activations_kernels() {
    return kernels;
}

float quantize_activations_scalar(const float* input, std::size_t count, std::uint8_t* output) {
    float maximum = 0;
    for (std::size_t i = 0; i < count; ++i) maximum = std::max(maximum, input[i]);
    const float scale = scale_of_maximum(maximum);
    const float inverse = 1.0F / scale;
    for (std::size_t i = 0; i < count; ++i) {
        const float rounded = std::nearbyint(std::max(input[i], 0.0F) * inverse);
        output[i] = static_cast<std::uint8_t>(std::min(rounded, 255.0F));
    }
    return scale;
}

}  // namespace vgg19::kernels
