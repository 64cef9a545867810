#include "kernels/winograd/winograd.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<const WinogradSteps> kernel_list[] = {
#define VGG19_KERNEL(isa) {"winograd_" #isa, Isa::isa, &isa::winograd},
    VGG19_FLOAT_ISAS
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<const WinogradSteps>> winograd_kernels() {
    return kernel_list;
}

}  // namespace vgg19::kernels
