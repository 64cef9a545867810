// The gradient of a scalar with respect to a program's input, from those with respect to its outputs.
//
// Weights are constants, so no activation need be kept: of a ReLU's output the bits that say what was
// positive are enough, of a max-pool which input each output was, and of a softmax its output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/layers/convolution_gradient.h"
#include "engine/layers/dense.h"
#include "engine/layers/operation.h"
#include "engine/model/model_file.h"
#include "engine/program/plan.h"
#include "engine/program/weights.h"
#include "kernels/common/aligned_buffer.h"

namespace vgg19 {

class Backward {
  public:
    /// For an FP32 plan with gradients, whose average pool is not folded. `file` must outlive this object.
    /// With `before`, an object for the same plan of another shape, it shares that one's packed weights:
    /// then only the object that was made last, or use_shared_gradients() was called of, may run.
    Backward(const model::ModelFile& file, Plan plan, const Backward* before = nullptr);
    void use_shared_gradients();

    /// What the program runs for a max_pool step instead of its own operation: valid as long as this object.
    std::unique_ptr<layers::Operation> make_max_pool(std::size_t step);
    /// Lets an operation record by itself, if it can, what record() would of this step.
    void attach(std::size_t step, layers::Operation& operation);
    /// After each step of a run: keeps what the gradient needs of its output.
    void record(std::size_t step, const std::byte* output);

    /// All that runs have recorded, for whoever keeps it while other inputs run (record.h).
    std::span<std::byte> recorded() { return {recorded_.data(), recorded_.size()}; }
    std::span<const std::byte> recorded() const { return {recorded_.data(), recorded_.size()}; }
    /// Differs, as good as certainly, between objects that record other values or in another layout.
    std::uint64_t record_layout() const;
    const Plan& plan() const { return plan_; }

    /// Of memory for run(), aligned to a cache line. A program's activations are not needed any more.
    std::size_t activation_bytes() const;
    std::size_t scratch_bytes() const;
    /// output_gradients[i] is of plan.outputs[i], or empty. Writes [batch][3][height][width]. Throws Error
    /// (cancelled).
    void run(std::byte* activations, std::byte* scratch,
             std::span<const std::span<const float>> output_gradients, float* input_gradient,
             const RunOptions& options);

  private:
    /// A step that is not a tap, with the outputs that are its value.
    struct Link {
        std::size_t step = 0;
        std::vector<std::size_t> outputs;  ///< indices into the plan's
        std::size_t recorded = 0;          ///< where what it records begins
        std::size_t recorded_bytes = 0;    ///< 0 if it records nothing
        bool records_itself = false;
        const model::Tensor* weights = nullptr;         ///< of a convolution
        std::shared_ptr<const WeightsUse> weights_use;  ///< if they are packed in each run
        std::shared_ptr<layers::ConvolutionGradient> convolution;
        std::unique_ptr<layers::Dense> dense;
    };
    class Run;

    void lay_out();
    std::unique_ptr<layers::Dense> make_dense(const Step& step);
    const Step& step_of(const Link& link) const { return plan_.steps[link.step]; }
    std::uint8_t* recorded_by(const Link& link) { return recorded_.as<std::uint8_t>() + link.recorded; }
    /// Whether the link's value is a ReLU's.
    bool rectifies(const Link& link) const;
    std::size_t bytes_to_record(const Link& link) const;

    const model::ModelFile* file_;
    Plan plan_;
    std::vector<Link> links_;
    std::vector<std::optional<std::size_t>> link_of_step_;
    kernels::AlignedBuffer zeros_;  ///< the biases of dense layers' gradients
    kernels::AlignedBuffer recorded_;
};

}  // namespace vgg19
