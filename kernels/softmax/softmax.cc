#include "kernels/softmax/softmax.h"

#include <algorithm>
#include <cmath>

namespace vgg19::kernels {

namespace {

constexpr Kernel<SoftmaxFunction> kernels[] = {
#define VGG19_KERNEL(name, isa) {#name, Isa::isa, name},
#include "kernels/softmax/kernels.inc"
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<SoftmaxFunction>> softmax_kernels() {
    return kernels;
}

void softmax_scalar(const float* logits, std::size_t count, float* probabilities) {
    if (count == 0) return;
    const double maximum = *std::max_element(logits, logits + count);
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const double power = std::exp(static_cast<double>(logits[i]) - maximum);
        probabilities[i] = static_cast<float>(power);
        sum += power;
    }
    const auto inverse = static_cast<float>(1 / sum);
    for (std::size_t i = 0; i < count; ++i) probabilities[i] *= inverse;
}

void top_k(const float* values, std::size_t count, std::size_t top, std::size_t* indices) {
    std::size_t held = 0;
    for (std::size_t index = 0; index < count; ++index) {
        std::size_t place = held;
        while (place > 0 && values[index] > values[indices[place - 1]]) --place;
        if (place == top) continue;
        held = std::min(held + 1, top);
        std::copy_backward(indices + place, indices + held - 1, indices + held);
        indices[place] = index;
    }
}

}  // namespace vgg19::kernels
