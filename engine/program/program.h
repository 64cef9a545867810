// A plan with packed weights and the memory between its steps, ready to run.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/layers/operation.h"
#include "engine/model/model_file.h"
#include "engine/program/backward.h"
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

    /// [batch][3][height][width] → results[i] is plan().outputs[i], in the plain layout. An observer requires
    /// that all convolutions are FP32. Allocates nothing. Throws Error (cancelled).
    void run(const float* image, std::span<float* const> results, const RunOptions& options,
             const LayerObserver& observer = {});
    /// For a plan with one output, such as the logits.
    void run(const float* image, float* result, std::span<double> seconds,
             const LayerObserver& observer = {}) {
        run(image, std::span(&result, 1), {.seconds = seconds}, observer);
    }

    /// From the gradients of the last run's results, empty where there is none, to that of its image. Only
    /// for a plan with gradients. Allocates nothing. Throws Error (cancelled).
    void backward(std::span<const std::span<const float>> result_gradients, float* image_gradient,
                  const RunOptions& options);

    /// Null without gradients.
    Backward* backward_state() { return backward_.get(); }

    /// Runs only layers [begin, end), and writes no outputs; all convolutions must be FP32. `input` is the
    /// input of layer `begin`, aligned to 64 bytes unless it is an image, and not inside this object's
    /// memory. Returns the input of layer `end`, or what the last step gives (such as the logits), valid
    /// until the next run.
    const float* run_layers(std::size_t begin, std::size_t end, const float* input);

    /// Changes to a plan that reshaped() made of this one's, for the same file: packed weights stay. Calls
    /// before_change(plan, reports) with the new ones once everything for them is there. With an exception,
    /// also of before_change, everything is as before.
    using BeforeChange = std::function<void(const Plan& plan, const std::vector<PlanStep>& reports)>;
    void reshape(const model::ModelFile& file, Plan plan, const BeforeChange& before_change);

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
    std::unique_ptr<layers::Operation> make_output(const model::ModelFile& file, const Step& step) const;
    /// Of a convolution's floats, in units of which it writes them.
    float unit_of(const model::ModelFile& file, std::size_t convolution) const;
    /// The step's operation in the plan `before`, if it has weights and can be reshaped, else a new one.
    std::shared_ptr<layers::Operation> reshaped_operation(const model::ModelFile& file, const Plan& before,
                                                          const Step& step) const;
    /// Tells the operations what backward_ wants recorded.
    void attach_backward(const std::vector<std::shared_ptr<layers::Operation>>& operations);
    /// The memory that backward_ needs too.
    std::size_t activation_bytes(std::size_t of_runs) const;
    std::size_t scratch_bytes(const std::vector<std::shared_ptr<layers::Operation>>& operations) const;
    std::vector<PlanStep> reports_of(const std::vector<std::shared_ptr<layers::Operation>>& operations) const;
    /// Runs steps [begin, end), those that write outputs to `results`; with none, taps are left out. Calls
    /// before_step(step, input) and after_step() around each. Returns the output of the last one.
    template <class BeforeStep, class AfterStep>
    const std::byte* run_steps(std::size_t begin, std::size_t end, const std::byte* input,
                               std::span<float* const> results, const BeforeStep& before_step,
                               const AfterStep& after_step);

    Plan plan_;
    FoldedDenseWeights folded_weights_;
    std::vector<std::shared_ptr<layers::Operation>> operations_;  ///< one per step
    std::vector<PlanStep> reports_;
    std::vector<std::size_t> places_;  ///< of each step's output in activations_
    kernels::AlignedBuffer activations_;
    kernels::AlignedBuffer scratch_;
    std::unique_ptr<Backward> backward_;  ///< only with gradients; shares the memory of runs
};

}  // namespace vgg19
