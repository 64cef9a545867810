#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<const WinogradInt8Steps> kernel_list[] = {
#define VGG19_KERNEL(isa) {"winograd_int8_" #isa, Isa::isa, &isa::winograd_int8},
    VGG19_DOT_PRODUCT_ISAS
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<const WinogradInt8Steps>> winograd_int8_kernels() {
    return kernel_list;
}

}  // namespace vgg19::kernels
