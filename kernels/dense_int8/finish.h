#pragma once

#include "kernels/dense_int8/dense_int8.h"

namespace vgg19::kernels {

/// The last step of one output: scale, bias and ReLU. A NaN stays one.
static inline void finish_output(const DenseInt8& problem, std::size_t image, std::size_t output,
                                 std::int32_t accumulator) {
    const float scale = problem.input_scale[image] * problem.weight_scale[output];
    // Two roundings on every ISA: the build forbids fusing these (-ffp-contract=off in cmake/box.cmake).
    const float product = static_cast<float>(accumulator) * scale;
    const float value = problem.bias[output] + product;
    problem.output[image * problem.outputs + output] = problem.relu && value < 0.0F ? 0.0F : value;
}

}  // namespace vgg19::kernels
