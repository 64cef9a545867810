#include "kernels/quantize_activations/quantize_activations.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<QuantizeActivationsFunction> kernels[] = {
#define VGG19_KERNEL(isa) {"quantize_activations_" #isa, Isa::isa, isa::quantize_activations},
    VGG19_FLOAT_ISAS
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<QuantizeActivationsFunction>> quantize_activations_kernels() {
    return kernels;
}

}  // namespace vgg19::kernels
