#pragma once

#include <cstddef>
#include <cstdint>

namespace vgg19::kernels {

/// The last step of one output of a DenseInt8, or of a problem with the same fields: scale, bias and ReLU. A
/// NaN stays one.
template <class Problem>
[[gnu::always_inline]] static inline void finish_output(const Problem& problem, std::size_t image,
                                                        std::size_t output, std::int32_t accumulator) {
    const float scale = problem.input_scale[image] * problem.weight_scale[output];
    // Two roundings on every ISA: the build forbids fusing these (-ffp-contract=off in cmake/box.cmake).
    const float product = static_cast<float>(accumulator) * scale;
    const float value = problem.bias[output] + product;
    problem.output[image * problem.outputs + output] = problem.relu && value < 0.0F ? 0.0F : value;
}

}  // namespace vgg19::kernels
