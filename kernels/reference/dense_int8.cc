#include "kernels/reference/dense_int8.h"

#include "kernels/dense_int8/finish.h"

namespace vgg19::kernels {

void dense_int8_reference(const DenseInt8& problem, std::size_t begin, std::size_t end) {
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
