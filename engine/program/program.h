// A plan with packed weights and the memory between its steps, ready to run.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/layers/operation.h"
#include "engine/model/model_file.h"
#include "engine/program/plan.h"
#include "engine/program/weights.h"
#include "kernels/common/aligned_buffer.h"

namespace vgg19 {

/// Called just before each layer runs, with its number (Step::layer) and its input: plain for the first
/// convolution and the dense layers, in the blocked layout of the plan's ISA for the others.
using LayerObserver = std::function<void(std::size_t layer, const float* input)>;

class Program {
  public:
    /// Packs the convolutions' weights. `file` must outlive this: dense weights are used in place, but for
    /// those that the average pool is folded into.
    Program(const model::ModelFile& file, Plan plan);

    /// [batch][3][height][width] → [batch][classes]. `seconds`, unless empty, has a place for each step.
    /// An observer is for models whose convolutions are all FP32. Allocates nothing.
    void run(const float* image, float* logits, std::span<double> seconds,
             const LayerObserver& observer = {});

    /// Runs layers [begin, end) alone, for models whose convolutions are all FP32. `input` is that of layer
    /// `begin`, aligned to 64 unless it is an image, and in no memory of this object. Returns the input of
    /// layer `end`, or the logits behind the last one, valid until the next run.
    const float* run_layers(std::size_t begin, std::size_t end, const float* input);

    /// Gives a convolution, counted from 0, other FP32 weights.
    void replace_convolution(std::size_t index, const layers::ConvolutionWeights& weights);

    const Plan& plan() const { return plan_; }
    /// One a step, for reports.
    const std::vector<PlanStep>& reports() const { return reports_; }

  private:
    /// The operation of a step, with the file's weights.
    std::unique_ptr<layers::Operation> make_operation(const model::ModelFile& file, const Step& step) const;
    std::unique_ptr<layers::Operation> make_convolution(const model::ModelFile& file,
                                                        std::size_t index) const;
    std::unique_ptr<layers::Operation> make_dense(const model::ModelFile& file, const Step& step) const;
    void allocate();
    /// Runs the steps [begin, end), the last one into `output` unless that is null. Calls before_step(step,
    /// input) and after_step() around each. Returns where the last one wrote to.
    template <class BeforeStep, class AfterStep>
    const std::byte* run_steps(std::size_t begin, std::size_t end, const std::byte* input, std::byte* output,
                               const BeforeStep& before_step, const AfterStep& after_step);

    Plan plan_;
    FoldedDenseWeights folded_weights_;
    std::vector<std::unique_ptr<layers::Operation>> operations_;  ///< one a step
    std::vector<PlanStep> reports_;
    std::array<kernels::AlignedBuffer, 2> activations_;  ///< steps write to them in turn
    kernels::AlignedBuffer scratch_;
};

}  // namespace vgg19
