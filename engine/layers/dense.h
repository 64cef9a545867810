// A fully connected (dense) layer with bias and optional ReLU, over the kernels of kernels/dense.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/layers/execution.h"
#include "engine/layers/operation.h"
#include "kernels/dense/dense.h"
#include "kernels/dense/schedule.h"
#include "kernels/quantize_activations/quantize_activations.h"

namespace vgg19::layers {

/// The problem to compute: [batch][inputs] → [batch][outputs]. Exactly one kind of weights is set, in the
/// layout of kernels/dense/dense.h. Weights are used in place, so they must outlive the layer.
struct DenseProblem {
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    bool relu_follows = false;
    bool signed_input = false;                    ///< inputs may be negative, because no ReLU precedes them
    bool input_major = false;                     ///< weights are [inputs][outputs], else [outputs][inputs]
    const float* weights = nullptr;               ///< finite
    const std::int8_t* int8_weights = nullptr;    ///< the same, quantised
    const float* weight_scale = nullptr;          ///< [outputs], for INT8 weights
    const std::uint8_t* int4_weights = nullptr;   ///< always input-major
    const std::uint16_t* int4_scale = nullptr;    ///< likewise, for INT4 weights
    const float* bias = nullptr;                  ///< [outputs]
    std::shared_ptr<const void> weights_owner{};  ///< kept while the layer exists

    kernels::DenseWeights type() const;
};

class Dense final : public Operation {
  public:
    /// Throws Error (bad_input) for an INT8 layer with so many inputs that sums could overflow 32 bits.
    Dense(const DenseProblem& problem, const Execution& execution);

    void run(const std::byte* input, std::byte* output, std::byte* scratch) override;
    bool reshape(MapSize size, const Execution& execution) override;
    std::string kernel() const override { return kernel_.name; }
    std::size_t scratch_bytes() const override;
    std::size_t weight_bytes() const override;
    std::uint64_t operations() const override {
        return std::uint64_t{2} * problem_.batch * problem_.inputs * problem_.outputs;
    }

  private:
    /// Plans and reserves for the execution's batch.
    void set_batch(const Execution& execution);
    void run_fp32_input(const float* input, std::byte* scratch);
    void run_int8(const float* input, std::byte* scratch);
    void run_signed_int8(const float* input, float* output, std::byte* scratch);

    std::shared_ptr<const void> weights_owner_;
    kernels::DenseWeights weights_;
    kernels::Kernel<const kernels::DenseSteps> kernel_;
    kernels::Dense problem_;
    kernels::DenseSchedule schedule_;
    std::vector<std::uint32_t> input_rows_;

    // Only for INT8 weights.
    kernels::Kernel<kernels::QuantizeActivationsFunction> quantize_;
    std::vector<std::uint8_t> int8_input_;
    std::vector<float> input_scales_;

    // INT8 weights with an input of both signs.
    bool signed_int8_;
    const float* bias_;
    std::vector<float> weight_sums_;
    std::vector<float> shifted_input_;
    std::vector<float> shifted_bias_;
};

}  // namespace vgg19::layers
