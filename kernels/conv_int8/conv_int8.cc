#include "kernels/conv_int8/conv_int8.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<ConvInt8Function> fastest_first[] = {
#define VGG19_KERNEL(isa) {"conv_int8_" #isa, Isa::isa, isa::conv_int8},
    VGG19_DOT_PRODUCT_ISAS
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<ConvInt8Function>> conv_int8_kernels() {
    return fastest_first;
}

}  // namespace vgg19::kernels
