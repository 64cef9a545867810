#include "engine/program/program.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "engine/layers/dense.h"
#include "engine/layers/pool.h"
#include "engine/layers/quantization.h"
#include "kernels/common/callers_threads.h"
#include "kernels/common/floating_point_mode.h"
#include "kernels/common/openmp.h"
#include "kernels/schedule/work_clock.h"

namespace vgg19 {

using layers::as_floats;

namespace {

/// Measures the time of each step; does nothing if `seconds` is empty.
class Stopwatch {
  public:
    explicit Stopwatch(std::span<double> seconds) : seconds_(seconds) {
        if (!seconds_.empty()) last_ = Clock::now();
    }
    void lap() {
        if (seconds_.empty()) return;
        const Clock::time_point now = Clock::now();
        seconds_[step_++] = std::chrono::duration<double>(now - last_).count();
        kernels::WorkClock::lap();
        last_ = now;
    }

  private:
    using Clock = std::chrono::steady_clock;
    std::span<double> seconds_;
    std::size_t step_ = 0;
    Clock::time_point last_;
};

PlanStep report_of(const Step& step, const layers::Operation& operation, const layers::Execution& execution) {
    return {.kind = step.kind,
            .arithmetic = step.arithmetic,
            .layer = step.text(),
            .kernel = operation.kernel(),
            .macs = step.macs,
            .operations = operation.operations(),
            .weight_bytes = operation.weight_bytes(),
            .activation_bytes = step.input.bytes(execution) + step.output.bytes(execution)};
}

}  // namespace

Program::Program(const model::ModelFile& file, Plan plan) : plan_(std::move(plan)) {
    const kernels::FlushSubnormals
        flush_subnormals;  // for packing too: weights are read in the same way everywhere
    for (const Step& step : plan_.steps) {
        if (step.kind == StepKind::flatten) {
            folded_weights_ = FoldedDenseWeights(file, step.input.size, plan_.execution.threads);
        }
        operations_.push_back(make_operation(file, step));
        reports_.push_back(report_of(step, *operations_.back(), plan_.execution));
    }
    allocate();
}

std::unique_ptr<layers::Operation> Program::make_operation(const model::ModelFile& file,
                                                           const Step& step) const {
    const layers::Execution& execution = plan_.execution;
    switch (step.kind) {
        case StepKind::convolution:
            return make_convolution(file, step.layer);
        case StepKind::max_pool:
            return std::make_unique<layers::MaxPool>(step.input.channels, step.input.size, execution);
        case StepKind::quantization: {
            const float scale = input_scale(file, file.network().convolutions()[step.layer + 1]);
            return std::make_unique<layers::Quantization>(step.input.channels, step.input.size, scale,
                                                          execution);
        }
        case StepKind::average_pool:
        case StepKind::flatten:
            return std::make_unique<layers::AveragePool>(step.input.channels, step.input.size,
                                                         step.output.size, execution);
        case StepKind::dense:
            return make_dense(file, step);
    }
    return nullptr;
}

std::unique_ptr<layers::Operation> Program::make_convolution(const model::ModelFile& file,
                                                             std::size_t index) const {
    const std::vector<model::ConvolutionLayer>& layers = file.network().convolutions();
    const model::ConvolutionLayer* next = index + 1 < layers.size() ? &layers[index + 1] : nullptr;
    const PlannedConvolution& planned = plan_.convolutions[index];
    auto convolution = layers::make_convolution(
        planned.algorithm(), planned.shape, convolution_weights(file, layers[index], next), plan_.execution);
    // The weights are packed, so the file's copy is not read again.
    file.file().mapping().release(file.tensor(model::weight_name(layers[index].name)).bytes);
    return convolution;
}

std::unique_ptr<layers::Operation> Program::make_dense(const model::ModelFile& file, const Step& step) const {
    const std::size_t index = step.layer - plan_.convolutions.size();
    layers::DenseProblem problem = dense_problem(file, file.network().dense_layers()[index]);
    if (index == 0 && plan_.folds_average_pool()) folded_weights_.apply(problem);
    return std::make_unique<layers::Dense>(problem, plan_.execution);
}

void Program::allocate() {
    std::array<std::size_t, 2> largest{};
    std::size_t scratch_bytes = 0;
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
        std::size_t& bytes = largest[i % largest.size()];
        bytes = std::max(bytes, plan_.steps[i].output.bytes(plan_.execution));
        scratch_bytes = std::max(scratch_bytes, operations_[i]->scratch_bytes());
    }
    for (std::size_t i = 0; i < largest.size(); ++i)
        activations_[i] = kernels::AlignedBuffer(largest[i], plan_.execution.workspace);
    scratch_ = kernels::AlignedBuffer(scratch_bytes, plan_.execution.workspace);
}

template <class BeforeStep, class AfterStep>
const std::byte* Program::run_steps(std::size_t begin, std::size_t end, const std::byte* input,
                                    std::byte* output, const BeforeStep& before_step,
                                    const AfterStep& after_step) {
    const kernels::FlushSubnormals flush_subnormals;
    std::optional<kernels::OpenMpThreads> openmp_threads;
    if (plan_.runs_onednn()) openmp_threads.emplace(plan_.execution.threads);
    for (std::size_t i = begin; i < end; ++i) {
        const bool writes_output = output != nullptr && i + 1 == end;
        std::byte* const target = writes_output ? output : activations_[i % activations_.size()].data();
        before_step(i, input);
        operations_[i]->run(input, target, scratch_.data());
        kernels::CallersThreads::rethrow();
        after_step();
        input = target;
    }
    return input;
}

void Program::run(const float* image, float* logits, std::span<double> seconds,
                  const LayerObserver& observer) {
    Stopwatch watch(seconds);
    run_steps(
        0, operations_.size(), reinterpret_cast<const std::byte*>(image),
        reinterpret_cast<std::byte*>(logits),
        [&](std::size_t step, const std::byte* input) {
            const std::size_t layer = plan_.steps[step].layer;
            if (observer && plan_.first_steps[layer] == step) observer(layer, as_floats(input));
        },
        [&] { watch.lap(); });
}

const float* Program::run_layers(std::size_t begin, std::size_t end, const float* input) {
    const std::byte* output = run_steps(
        plan_.first_steps[begin], plan_.first_steps[end], reinterpret_cast<const std::byte*>(input), nullptr,
        [](std::size_t /*step*/, const std::byte* /*input*/) {}, [] {});
    return as_floats(output);
}

void Program::replace_convolution(std::size_t index, const layers::ConvolutionWeights& weights) {
    const kernels::FlushSubnormals flush_subnormals;
    const PlannedConvolution& planned = plan_.convolutions[index];
    operations_[plan_.first_steps[index]] =
        layers::make_convolution(planned.algorithm(), planned.shape, weights, plan_.execution);
}

}  // namespace vgg19
