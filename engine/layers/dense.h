// Fully connected layer with bias, and ReLU where one follows, in FP32, in INT8, or with INT4
// weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/layers/execution.h"
#include "engine/layers/operation.h"

namespace vgg19::layers {

/// What to compute: [batch][inputs] → [batch][outputs]. One of the weights is there. They are used in place,
/// so they must outlive the layer.
struct DenseProblem {
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    bool relu_follows = false;
    bool signed_input = false;                   ///< no ReLU before it: inputs may be negative
    bool input_major = false;                    ///< weights are [inputs][outputs], else [outputs][inputs]
    const float* weights = nullptr;              ///< finite
    const std::int8_t* int8_weights = nullptr;   ///< the same, quantised
    const float* weight_scale = nullptr;         ///< [outputs], of INT8 weights
    const std::uint8_t* int4_weights = nullptr;  ///< input-major, as kernels/dense_int4 has them
    const std::uint16_t* int4_scale = nullptr;   ///< the same, of INT4 weights
    const float* bias = nullptr;                 ///< [outputs]
};

class Dense : public Operation {
  public:
    void run(const std::byte* input, std::byte* output, std::byte* /*scratch*/) final {
        run(as_floats(input), as_floats(output));
    }
    virtual void run(const float* input, float* output) = 0;
};

/// Throws Error (bad_input) for an INT8 layer so wide that its sums could pass 32 bits.
std::unique_ptr<Dense> make_dense(const DenseProblem& problem, const Execution& execution);

}  // namespace vgg19::layers
