#include "kernels/dense_int8_sparse_input/dense_int8_sparse_input.h"

#include "kernels/common/nonzero_inputs.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<DenseInt8SparseInputFunction> fastest_first[] = {
#define VGG19_KERNEL(isa) {"dense_int8_sparse_input_" #isa, Isa::isa, isa::dense_int8_sparse_input},
    VGG19_DOT_PRODUCT_ISAS
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<DenseInt8SparseInputFunction>> dense_int8_sparse_input_kernels() {
    return fastest_first;
}

std::size_t list_nonzero_inputs(const std::uint8_t* input, std::size_t batch, std::size_t inputs,
                                std::uint32_t* rows) {
    return list_nonzero(input, batch, inputs, rows);
}

}  // namespace vgg19::kernels
