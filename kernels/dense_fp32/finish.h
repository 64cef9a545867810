#pragma once

#include "kernels/dense_fp32/dense_fp32.h"

namespace vgg19::kernels {

/// The last step of one output: bias and ReLU. A NaN stays one.
static inline void finish_output(const DenseFp32& problem, std::size_t image, std::size_t output, float sum) {
    const float value = problem.bias[output] + sum;
    problem.output[image * problem.outputs + output] = problem.relu && value < 0.0F ? 0.0F : value;
}

}  // namespace vgg19::kernels
