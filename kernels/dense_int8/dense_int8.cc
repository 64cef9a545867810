#include "kernels/dense_int8/dense_int8.h"

#include "kernels/dense_int8/finish.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<DenseInt8Function> fastest_first[] = {
#define VGG19_KERNEL(name, isa) {#name, Isa::isa, name},
#include "kernels/dense_int8/kernels.inc"
#undef VGG19_KERNEL
};

}  // namespace

std::span<const Kernel<DenseInt8Function>> dense_int8_kernels() {
    return fastest_first;
}

void dense_int8_scalar(const DenseInt8& problem, std::size_t begin, std::size_t end) {
    for (std::size_t image = 0; image < problem.batch; ++image) {
        const std::uint8_t* input = problem.input + image * problem.inputs;
        for (std::size_t output = begin; output < end; ++output) {
            const std::int8_t* weights = problem.weights + output * problem.inputs;
            std::int32_t accumulator = 0;
            for (std::size_t i = 0; i < problem.inputs; ++i) accumulator += input[i] * weights[i];
            finish_output(problem, image, output, accumulator);
        }
    }
}

}  // namespace vgg19::kernels
