#include "kernels/dense_fp32/dense_fp32.h"

#include "kernels/dense_fp32/finish.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<DenseFp32Function> fastest_first[] = {
#define VGG19_KERNEL(name, isa) {#name, Isa::isa, name},
#include "kernels/dense_fp32/kernels.inc"
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<DenseFp32Function>> dense_fp32_kernels() {
    return fastest_first;
}

// Sums in double: products are exact there, so this is also what the other kernels are measured against.
void dense_fp32_scalar(const DenseFp32& problem, std::size_t begin, std::size_t end) {
    for (std::size_t image = 0; image < problem.batch; ++image) {
        const float* input = problem.input + image * problem.inputs;
        for (std::size_t output = begin; output < end; ++output) {
            const float* weights = problem.weights + output * problem.inputs;
            double sum = 0;
            for (std::size_t i = 0; i < problem.inputs; ++i) sum += double{input[i]} * double{weights[i]};
            finish_output(problem, image, output, static_cast<float>(sum));
        }
    }
}

}  // namespace vgg19::kernels
