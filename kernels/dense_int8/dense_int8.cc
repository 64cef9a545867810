#include "kernels/dense_int8/dense_int8.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<DenseInt8Function> fastest_first[] = {
#define VGG19_KERNEL(isa) {"dense_int8_" #isa, Isa::isa, isa::dense_int8},
    VGG19_DOT_PRODUCT_ISAS
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<DenseInt8Function>> dense_int8_kernels() {
    return fastest_first;
}

}  // namespace vgg19::kernels
