#include "kernels/max_pool/max_pool.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<MaxPoolFunction> kernels[] = {
#define VGG19_KERNEL(isa) {"max_pool_" #isa, Isa::isa, isa::max_pool},
    VGG19_FLOAT_ISAS
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<MaxPoolFunction>> max_pool_kernels() {
    return kernels;
}

}  // namespace vgg19::kernels
