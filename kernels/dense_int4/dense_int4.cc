#include "kernels/dense_int4/dense_int4.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<DenseInt4Function> fastest_first[] = {
#define VGG19_KERNEL(isa) {"dense_int4_" #isa, Isa::isa, isa::dense_int4},
    VGG19_FLOAT_ISAS
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<DenseInt4Function>> dense_int4_kernels() {
    return fastest_first;
}

}  // namespace vgg19::kernels
