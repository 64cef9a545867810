#include "engine/program/program.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "engine/layers/dense.h"
#include "engine/layers/output.h"
#include "engine/layers/pool.h"
#include "engine/layers/quantization.h"
#include "kernels/average_pool_2x2/average_pool_2x2.h"
#include "kernels/common/callers_function.h"
#include "kernels/common/callers_threads.h"
#include "kernels/common/floating_point_mode.h"
#include "kernels/common/openmp.h"
#include "kernels/max_pool/max_pool.h"
#include "kernels/schedule/work_clock.h"
#include "vgg19/error.h"

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

/// Where a plan's steps write, in one piece of memory.
struct ActivationPlaces {
    std::vector<std::size_t> offsets;  ///< of each step's output
    std::size_t bytes = 0;
};

/// A step's input and its output lie at opposite ends.
ActivationPlaces activation_places(const Plan& plan) {
    constexpr std::size_t line = 64;
    const auto bytes_of = [&](const Step& step) {
        return (step.output.bytes(plan.execution) + line - 1) / line * line;
    };
    ActivationPlaces places;
    std::vector<bool> at_the_end;
    std::size_t input_bytes = 0;
    bool input_at_the_end = true;
    for (const Step& step : plan.steps) {
        if (!step.is_tap && !step.in_place) {
            places.bytes = std::max(places.bytes, input_bytes + bytes_of(step));
            input_bytes = bytes_of(step);
            input_at_the_end = !input_at_the_end;
        }
        at_the_end.push_back(input_at_the_end);
    }
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        const bool is_written_there = !plan.steps[i].is_tap;
        places.offsets.push_back(at_the_end[i] && is_written_there ? places.bytes - bytes_of(plan.steps[i])
                                                                   : 0);
    }
    return places;
}

/// A buffer of so many bytes; none if the one that is there does. A little too large is no reason to have
/// the operating system zero new pages.
std::optional<kernels::AlignedBuffer> fitting(const kernels::AlignedBuffer& buffer, std::size_t bytes,
                                              std::pmr::memory_resource* workspace) {
    constexpr std::size_t most_excess = 4;
    if (bytes <= buffer.size() && buffer.size() <= most_excess * bytes) return std::nullopt;
    return kernels::AlignedBuffer(bytes, workspace);
}

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
    if (plan_.gradients) backward_ = std::make_unique<Backward>(file, plan_);
    for (const Step& step : plan_.steps) {
        if (step.kind == StepKind::flatten) {
            folded_weights_ = FoldedDenseWeights(file, step.input.size, plan_.execution.threads);
        }
        operations_.push_back(make_operation(file, step));
    }
    reports_ = reports_of(operations_);
    attach_backward(operations_);
    ActivationPlaces places = activation_places(plan_);
    places_ = std::move(places.offsets);
    activations_ = kernels::AlignedBuffer(activation_bytes(places.bytes), plan_.execution.workspace);
    scratch_ = kernels::AlignedBuffer(scratch_bytes(operations_), plan_.execution.workspace);
}

void Program::attach_backward(const std::vector<std::shared_ptr<layers::Operation>>& operations) {
    for (std::size_t i = 0; backward_ && i < operations.size(); ++i) backward_->attach(i, *operations[i]);
}

std::size_t Program::activation_bytes(std::size_t of_runs) const {
    return backward_ ? std::max(of_runs, backward_->activation_bytes()) : of_runs;
}

std::size_t Program::scratch_bytes(const std::vector<std::shared_ptr<layers::Operation>>& operations) const {
    std::size_t bytes = backward_ ? backward_->scratch_bytes() : 0;
    for (const auto& operation : operations) bytes = std::max(bytes, operation->scratch_bytes());
    return bytes;
}

std::vector<PlanStep> Program::reports_of(
    const std::vector<std::shared_ptr<layers::Operation>>& operations) const {
    std::vector<PlanStep> reports;
    for (std::size_t i = 0; i < operations.size(); ++i) {
        reports.push_back(report_of(plan_.steps[i], *operations[i], plan_.execution));
    }
    return reports;
}

std::unique_ptr<layers::Operation> Program::make_operation(const model::ModelFile& file,
                                                           const Step& step) const {
    const layers::Execution& execution = plan_.execution;
    const std::size_t channels = step.input.channels;
    switch (step.kind) {
        case StepKind::convolution:
            return make_convolution(file, step.layer);
        case StepKind::max_pool:
            if (backward_) {
                return backward_->make_max_pool(static_cast<std::size_t>(&step - plan_.steps.data()));
            }
            return std::make_unique<layers::Pool2x2>(
                kernels::select(kernels::max_pool_kernels(), execution.isa), channels, step.input.size,
                execution);
        case StepKind::average_pool_2x2:
            return std::make_unique<layers::Pool2x2>(
                kernels::select(kernels::average_pool_2x2_kernels(), execution.isa), channels,
                step.input.size, execution);
        case StepKind::quantization: {
            const float scale = input_scale(file, file.network().convolutions()[step.layer + 1]);
            return std::make_unique<layers::Quantization>(channels, step.input.size,
                                                          scale / unit_of(file, step.layer), execution);
        }
        case StepKind::average_pool:
        case StepKind::flatten:
            return std::make_unique<layers::AveragePool>(channels, step.input.size, step.output.size,
                                                         execution);
        case StepKind::dense:
            return make_dense(file, step);
        case StepKind::output:
            return make_output(file, step);
        case StepKind::relu: {
            const std::size_t values = step.output.bytes(execution) / sizeof(float);
            return step.in_place ? layers::make_relu(values, execution) : layers::make_vector_relu(values);
        }
        case StepKind::softmax:
            return layers::make_softmax(channels, execution);
    }
    return nullptr;
}

std::unique_ptr<layers::Operation> Program::make_output(const model::ModelFile& file,
                                                        const Step& step) const {
    if (step.input.format == Activation::Format::plain) {
        return layers::make_copy(step.output.bytes(plan_.execution) / sizeof(float));
    }
    const std::string& layer = file.network().convolutions()[step.layer].name;
    return layers::make_plain_output(step.input.channels, step.input.size, unit_of(file, step.layer),
                                     file.output_factors(layer), plan_.execution);
}

float Program::unit_of(const model::ModelFile& file, std::size_t convolution) const {
    if (!layers::writes_steps(plan_.convolutions[convolution].shape)) return 1;
    return input_scale(file, file.network().convolutions()[convolution + 1]);
}

std::unique_ptr<layers::Operation> Program::make_convolution(const model::ModelFile& file,
                                                             std::size_t index) const {
    const std::vector<model::ConvolutionLayer>& layers = file.network().convolutions();
    const model::ConvolutionLayer* next = index + 1 < layers.size() ? &layers[index + 1] : nullptr;
    const PlannedConvolution& planned = plan_.convolutions[index];
    // Until the weights are packed.
    const WeightsUse use =
        use_weights(file, file.tensor(model::weight_name(layers[index].name)), plan_.execution.threads);
    return layers::make_convolution(planned.algorithm(), planned.shape,
                                    convolution_weights(file, layers[index], next), plan_.execution);
}

std::unique_ptr<layers::Operation> Program::make_dense(const model::ModelFile& file, const Step& step) const {
    const std::size_t index = step.layer - plan_.convolutions.size();
    const bool is_folded = index == 0 && plan_.folds_average_pool();
    layers::DenseProblem problem =
        is_folded ? folded_weights_.dense_problem(file)
                  : dense_problem(file, file.network().dense_layers()[index], plan_.execution.threads);
    // Otherwise the ReLU is a step of its own.
    problem.relu_follows = problem.relu_follows && !plan_.gives(model::OutputKind::dense, index);
    return std::make_unique<layers::Dense>(problem, plan_.execution);
}

template <class BeforeStep, class AfterStep>
const std::byte* Program::run_steps(std::size_t begin, std::size_t end, const std::byte* input,
                                    std::span<float* const> results, const BeforeStep& before_step,
                                    const AfterStep& after_step) {
    const kernels::FlushSubnormals flush_subnormals;
    std::optional<kernels::OpenMpThreads> openmp_threads;
    if (plan_.runs_onednn()) openmp_threads.emplace(plan_.execution.threads);
    for (std::size_t i = begin; i < end; ++i) {
        const Step& step = plan_.steps[i];
        if (step.is_tap && results.empty()) continue;
        const bool gives = step.result && !results.empty();
        std::byte* const target =
            gives ? reinterpret_cast<std::byte*>(results[*step.result]) : activations_.data() + places_[i];
        before_step(i, input);
        operations_[i]->run(input, target, scratch_.data());
        if (backward_) backward_->record(i, target);
        kernels::CallersThreads::rethrow();
        after_step();
        if (!step.is_tap) input = target;
    }
    return input;
}

void Program::run(const float* image, std::span<float* const> results, const RunOptions& options,
                  const LayerObserver& observer) {
    Stopwatch watch(options.seconds);
    run_steps(
        0, operations_.size(), reinterpret_cast<const std::byte*>(image), results,
        [&](std::size_t step, const std::byte* input) {
            if (options.is_cancelled && kernels::call_callers(options.is_cancelled)) {
                throw Error(ErrorKind::cancelled, "the run was cancelled before " + plan_.steps[step].text());
            }
            const std::size_t layer = plan_.steps[step].layer;
            if (observer && plan_.first_steps[layer] == step) observer(layer, as_floats(input));
        },
        [&] { watch.lap(); });
}

void Program::backward(std::span<const std::span<const float>> result_gradients, float* image_gradient,
                       const RunOptions& options) {
    backward_->run(activations_.data(), scratch_.data(), result_gradients, image_gradient, options);
}

const float* Program::run_layers(std::size_t begin, std::size_t end, const float* input) {
    const std::byte* output = run_steps(
        plan_.first_steps[begin], plan_.first_steps[end], reinterpret_cast<const std::byte*>(input), {},
        [](std::size_t /*step*/, const std::byte* /*input*/) {}, [] {});
    return as_floats(output);
}

void Program::replace_convolution(std::size_t index, const layers::ConvolutionWeights& weights) {
    const kernels::FlushSubnormals flush_subnormals;
    const PlannedConvolution& planned = plan_.convolutions[index];
    operations_[plan_.first_steps[index]] =
        layers::make_convolution(planned.algorithm(), planned.shape, weights, plan_.execution);
}

std::shared_ptr<layers::Operation> Program::reshaped_operation(const model::ModelFile& file,
                                                               const Plan& before, const Step& step) const {
    const bool has_weights = step.kind == StepKind::convolution || step.kind == StepKind::dense;
    const bool other_weights =
        step.layer == plan_.convolutions.size() && before.folds_average_pool() != plan_.folds_average_pool();
    if (has_weights && !other_weights) {
        const auto& operation = operations_[before.first_steps[step.layer]];
        if (operation->reshape(step.input.size, plan_.execution)) return operation;
    }
    return make_operation(file, step);
}

void Program::reshape(const model::ModelFile& file, Plan plan, const BeforeChange& before_change) {
    const kernels::FlushSubnormals flush_subnormals;
    Plan before = std::exchange(plan_, std::move(plan));
    std::unique_ptr<Backward> backward_before = std::move(backward_);
    try {
        if (backward_before) backward_ = std::make_unique<Backward>(file, plan_, backward_before.get());
        std::vector<std::shared_ptr<layers::Operation>> operations;
        for (const Step& step : plan_.steps) operations.push_back(reshaped_operation(file, before, step));
        std::vector<PlanStep> reports = reports_of(operations);
        attach_backward(operations);
        ActivationPlaces places = activation_places(plan_);
        std::pmr::memory_resource* const workspace = plan_.execution.workspace;
        auto activations = fitting(activations_, activation_bytes(places.bytes), workspace);
        auto scratch = fitting(scratch_, scratch_bytes(operations), workspace);
        before_change(plan_, reports);
        // From here on nothing throws.
        operations_ = std::move(operations);
        reports_ = std::move(reports);
        places_ = std::move(places.offsets);
        if (activations) activations_ = std::move(*activations);
        if (scratch) scratch_ = std::move(*scratch);
    } catch (...) {
        plan_ = std::move(before);
        for (std::size_t i = 0; i < operations_.size(); ++i) {
            operations_[i]->reshape(plan_.steps[i].input.size, plan_.execution);
        }
        backward_ = std::move(backward_before);
        if (backward_) backward_->use_shared_gradients();
        attach_backward(operations_);
        throw;
    }
}

}  // namespace vgg19
