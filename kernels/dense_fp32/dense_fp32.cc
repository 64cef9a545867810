#include "kernels/dense_fp32/dense_fp32.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<DenseFp32Function> fastest_first[] = {
#define VGG19_KERNEL(isa) {"dense_fp32_" #isa, Isa::isa, isa::dense_fp32},
    VGG19_FLOAT_ISAS
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<DenseFp32Function>> dense_fp32_kernels() {
    return fastest_first;
}

}  // namespace vgg19::kernels
