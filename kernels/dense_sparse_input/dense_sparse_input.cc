#include "kernels/dense_sparse_input/dense_sparse_input.h"

#include <algorithm>

#include "kernels/common/nonzero_inputs.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<DenseSparseInputFunction> fastest_first[] = {
#define VGG19_KERNEL(name, isa) {#name, Isa::isa, name},
#include "kernels/dense_sparse_input/kernels.inc"
#undef VGG19_KERNEL
};

/// Outputs that are summed at once: a few cache lines of each row.
constexpr std::size_t tile = 64;

void compute_tile(const DenseSparseInput& problem, std::size_t image, std::size_t begin, std::size_t count) {
    const float* input = problem.input + image * problem.inputs;
    double sums[tile] = {};
    for (std::size_t k = 0; k < problem.row_count; ++k) {
        const double factor = input[problem.rows[k]];
        const float* weights = problem.weights + problem.rows[k] * problem.outputs + begin;
        for (std::size_t o = 0; o < count; ++o) sums[o] += factor * double{weights[o]};
    }
    for (std::size_t o = 0; o < count; ++o) {
        const float value = problem.bias[begin + o] + static_cast<float>(sums[o]);
        problem.output[image * problem.outputs + begin + o] = problem.relu && value < 0.0F ? 0.0F : value;
    }
}

}  // namespace

std::span<const Kernel<DenseSparseInputFunction>> dense_sparse_input_kernels() {
    return fastest_first;
}

std::size_t list_nonzero_inputs(const float* input, std::size_t batch, std::size_t inputs,
                                std::uint32_t* rows) {
    return list_nonzero(input, batch, inputs, rows);
}

// Sums in double: products are exact there, so this is also what the other kernels are measured against.
void dense_sparse_input_scalar(const DenseSparseInput& problem, std::size_t begin, std::size_t end) {
    for (std::size_t image = 0; image < problem.batch; ++image) {
        for (std::size_t output = begin; output < end; output += tile) {
            compute_tile(problem, image, output, std::min(tile, end - output));
        }
    }
}

}  // namespace vgg19::kernels
