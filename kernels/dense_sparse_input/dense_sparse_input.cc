#include "kernels/dense_sparse_input/dense_sparse_input.h"

#include "kernels/common/nonzero_inputs.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<DenseSparseInputFunction> fastest_first[] = {
#define VGG19_KERNEL(isa) {"dense_sparse_input_" #isa, Isa::isa, isa::dense_sparse_input},
    VGG19_FLOAT_ISAS
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<DenseSparseInputFunction>> dense_sparse_input_kernels() {
    return fastest_first;
}

std::size_t list_nonzero_inputs(const float* input, std::size_t batch, std::size_t inputs,
                                std::uint32_t* rows) {
    return list_nonzero(input, batch, inputs, rows);
}

}  // namespace vgg19::kernels
