#include "kernels/quantize_blocked/quantize_blocked.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<QuantizeBlockedFunction> fastest_first[] = {
#define VGG19_KERNEL(isa) {"quantize_blocked_" #isa, Isa::isa, isa::quantize_blocked},
    VGG19_FLOAT_ISAS
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<QuantizeBlockedFunction>> quantize_blocked_kernels() {
    return fastest_first;
}

}  // namespace vgg19::kernels
