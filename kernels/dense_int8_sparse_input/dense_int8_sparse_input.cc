#include "kernels/dense_int8_sparse_input/dense_int8_sparse_input.h"

#include <algorithm>

#include "kernels/common/nonzero_inputs.h"
#include "kernels/dense_int8/finish.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<DenseInt8SparseInputFunction> fastest_first[] = {
#define VGG19_KERNEL(name, isa) {#name, Isa::isa, name},
#include "kernels/dense_int8_sparse_input/kernels.inc"
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

void dense_int8_sparse_input_scalar(const DenseInt8SparseInput& problem, std::size_t begin, std::size_t end) {
    for (std::size_t image = 0; image < problem.batch; ++image) {
        const std::uint8_t* input = problem.input + image * problem.inputs;
        std::int32_t* sums = problem.sums + image * problem.padded_outputs();
        std::fill(sums + begin, sums + end, 0);
        for (std::size_t k = 0; k < problem.row_count; ++k) {
            const std::int32_t factor = input[problem.rows[k]];
            const std::int8_t* weights = problem.weights + problem.rows[k] * problem.outputs;
            for (std::size_t output = begin; output < end; ++output) sums[output] += factor * weights[output];
        }
        for (std::size_t output = begin; output < end; ++output) {
            finish_output(problem, image, output, sums[output]);
        }
    }
}

}  // namespace vgg19::kernels
