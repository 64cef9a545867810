#include "kernels/average_pool/average_pool.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<AveragePoolFunction> kernels[] = {
#define VGG19_KERNEL(isa) {"average_pool_" #isa, Isa::isa, isa::average_pool},
    VGG19_FLOAT_ISAS
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<AveragePoolFunction>> average_pool_kernels() {
    return kernels;
}

}  // namespace vgg19::kernels
