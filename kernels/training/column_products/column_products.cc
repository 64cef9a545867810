#include "kernels/training/column_products/column_products.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<ColumnProductsFunction> fastest_first[] = {
#define VGG19_KERNEL(isa) {"column_products_" #isa, Isa::isa, isa::column_products},
    VGG19_FLOAT_ISAS
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<ColumnProductsFunction>> column_products_kernels() {
    return fastest_first;
}

}  // namespace vgg19::kernels
