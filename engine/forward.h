// The forward pass of one session: its layers, and the memory between them.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engine/layers/convolution.h"
#include "engine/layers/dense.h"
#include "engine/layers/pool.h"
#include "engine/layers/quantization.h"
#include "engine/model/model_file.h"
#include "engine/plan.h"
#include "kernels/common/aligned_buffer.h"

namespace vgg19 {

/// Called just before each layer runs, counted through convolutions and then dense layers, with its input:
/// plain for the first convolution and the dense layers, in the blocked layout of the plan's ISA for the
/// others.
using LayerObserver = std::function<void(std::size_t layer, const float* input)>;

class ForwardPass {
  public:
    /// Packs the convolutions' weights. `file` must outlive this: dense weights are used in place, but for
    /// those that the average pool is folded into.
    ForwardPass(const model::ModelFile& file, const Plan& plan);

    /// [batch][3][size][size] → [batch][classes]. `seconds`, unless empty, has a place for each of steps().
    /// An observer is for models whose convolutions are all FP32.
    void run(const float* image, float* logits, std::span<double> seconds,
             const LayerObserver& observer = {});

    /// Runs layers [begin, end) alone, counted as above, for models whose convolutions are all FP32. `input`
    /// is that of layer `begin`, aligned to 64 unless it is an image, and in no memory of this object.
    /// Returns the input of layer `end`, or the logits where there is none, valid until the next run.
    const float* run_layers(std::size_t begin, std::size_t end, const float* input);

    /// Gives a convolution, counted from 0, other FP32 weights. `plan` is the constructor's.
    void replace_convolution(const Plan& plan, std::size_t index, const layers::ConvolutionWeights& weights);

    std::size_t layer_count() const { return blocks_.size() + dense_layers_.size(); }
    /// The side of the map that the first dense layer gets as [channels][side][side]: 7, or that before the
    /// average pool, which may be folded into its weights.
    std::size_t dense_input_side() const { return dense_input_side_; }

    const std::vector<PlanStep>& steps() const { return steps_; }

  private:
    struct ConvolutionBlock {
        std::unique_ptr<layers::Convolution> convolution;
        // What follows and is not part of it:
        std::optional<layers::MaxPool> pool;
        std::optional<layers::Quantization> quantization;
    };

    /// Where a run stands: the input of its next step, and the memory to write to.
    struct Cursor {
        const std::byte* input;
        std::byte* output;
        std::byte* other;

        void advance() { input = std::exchange(output, std::exchange(other, output)); }
    };
    Cursor cursor_at(std::size_t layer, const float* input);
    /// Runs the steps of one layer up to the next, calling step_done() after each.
    template <class StepDone>
    void run_layer(std::size_t layer, float* logits, const Cursor& cursor, const StepDone& step_done);

    /// Appends a step that writes so many bytes.
    void add_step(PlanStep step, std::size_t output_bytes);
    /// The convolution, and what has to follow before the next layer.
    void add_convolution(const model::ModelFile& file, const Plan& plan, std::size_t index);
    void add_max_pool(const model::ConvolutionLayer& layer, std::size_t side,
                      const layers::Execution& execution);
    void add_quantization(const model::ConvolutionLayer& layer, std::size_t side, float scale,
                          const layers::Execution& execution);
    void add_average_pool(const model::ModelFile& file, const Plan& plan);
    /// The first dense layer's weights for the map before the average pool, in `folded_weights_`.
    void fold_average_pool(const model::ModelFile& file, const Plan& plan, std::size_t side);
    void add_dense(const model::ModelFile& file, const model::DenseLayer& layer, const Plan& plan);

    std::vector<ConvolutionBlock> blocks_;
    std::optional<layers::AveragePool> average_pool_;
    kernels::AlignedBuffer folded_weights_;  ///< empty where the average pool is not folded
    std::size_t dense_input_side_ = 0;
    std::size_t folded_inputs_ = 0;
    std::vector<float> folded_scales_;  ///< of folded INT8 weights
    std::vector<std::unique_ptr<layers::Dense>> dense_layers_;
    std::vector<PlanStep> steps_;
    std::vector<std::size_t> first_steps_;             ///< of each layer
    std::array<std::size_t, 2> largest_activation_{};  ///< bytes that even and odd steps write
    std::array<kernels::AlignedBuffer, 2> activations_;
    kernels::AlignedBuffer scratch_;
};

}  // namespace vgg19
