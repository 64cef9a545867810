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

/// Called just before each layer runs, with its number (Step::layer) and its input: in the plain layout for
/// the first convolution and the dense layers, else in the blocked layout of the plan's ISA.
using LayerObserver = std::function<void(std::size_t layer, const float* input)>;

class Program {
  public:
    /// Packs the weights of convolutions. `file` must outlive this object: dense weights are used in place,
    /// unless the average pool is folded into them.
    Program(const model::ModelFile& file, Plan plan);

    /// [batch][3][height][width] → [batch][classes]. `seconds` is empty or has one element per step. An
    /// observer requires that all convolutions are FP32. Allocates nothing.
    void run(const float* image, float* logits, std::span<double> seconds,
             const LayerObserver& observer = {});

    /// Runs only layers [begin, end); all convolutions must be FP32. `input` is the input of layer `begin`,
    /// aligned to 64 bytes unless it is an image, and not inside this object's memory. Returns the input of
    /// layer `end`, or the logits after the last layer, valid until the next run.
    const float* run_layers(std::size_t begin, std::size_t end, const float* input);

    /// Replaces the FP32 weights of a convolution, counted from 0.
    void replace_convolution(std::size_t index, const layers::ConvolutionWeights& weights);

    const Plan& plan() const { return plan_; }
    /// One per step, for reports.
    const std::vector<PlanStep>& reports() const { return reports_; }

  private:
    /// Creates a step's operation, with the file's weights.
    std::unique_ptr<layers::Operation> make_operation(const model::ModelFile& file, const Step& step) const;
    std::unique_ptr<layers::Operation> make_convolution(const model::ModelFile& file,
                                                        std::size_t index) const;
    std::unique_ptr<layers::Operation> make_dense(const model::ModelFile& file, const Step& step) const;
    void allocate();
    /// Runs steps [begin, end); the last one writes to `output` unless that is null. Calls before_step(step,
    /// input) and after_step() around each. Returns the output of the last one.
    template <class BeforeStep, class AfterStep>
    const std::byte* run_steps(std::size_t begin, std::size_t end, const std::byte* input, std::byte* output,
                               const BeforeStep& before_step, const AfterStep& after_step);

    Plan plan_;
    FoldedDenseWeights folded_weights_;
    std::vector<std::unique_ptr<layers::Operation>> operations_;  ///< one per step
    std::vector<PlanStep> reports_;
    std::array<kernels::AlignedBuffer, 2> activations_;  ///< steps write to them alternately
    kernels::AlignedBuffer scratch_;
};

}  // namespace vgg19
