#include "engine/program/backward.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <utility>

#include "engine/layers/layout.h"
#include "engine/layers/pool_gradient.h"
#include "kernels/common/callers_function.h"
#include "kernels/common/callers_threads.h"
#include "kernels/common/floating_point_mode.h"
#include "kernels/common/openmp.h"
#include "vgg19/error.h"

namespace vgg19 {

namespace {

using layers::as_floats;

constexpr std::size_t line = 64;

std::size_t whole_lines(std::size_t bytes) {
    return (bytes + line - 1) / line * line;
}

/// The gradient of a step's input: blocked for the image too, whose gradient becomes plain afterwards.
std::size_t input_bytes(const Step& step, const layers::Execution& execution) {
    Activation input = step.input;
    if (step.kind == StepKind::convolution) input.format = Activation::Format::blocked;
    return whole_lines(input.bytes(execution));
}
std::size_t output_bytes(const Step& step, const layers::Execution& execution) {
    return whole_lines(step.output.bytes(execution));
}

std::size_t values_of(const Activation& activation, const layers::Execution& execution) {
    return activation.bytes(execution) / sizeof(float);
}

bool is_blocked(const Activation& activation) {
    return activation.format == Activation::Format::blocked;
}

void record_positive_values(const float* values, std::size_t count, std::uint8_t* positive) {
    std::fill_n(positive, (count + 7) / 8, std::uint8_t{0});
    for (std::size_t i = 0; i < count; ++i) {
        if (values[i] > 0) positive[i / 8] = static_cast<std::uint8_t>(positive[i / 8] | (1U << (i % 8)));
    }
}

void apply_positive_values(const std::uint8_t* positive, std::size_t count, float* gradient) {
    for (std::size_t i = 0; i < count; ++i) {
        if (((positive[i / 8] >> (i % 8)) & 1) == 0) gradient[i] = 0;
    }
}

/// With p = softmax(x): dL/dx_i = p_i · (dL/dp_i − Σ_j p_j dL/dp_j), in place.
void softmax_gradient(const float* probabilities, std::size_t classes, float* gradient) {
    double sum = 0;
    for (std::size_t i = 0; i < classes; ++i) sum += double{probabilities[i]} * double{gradient[i]};
    for (std::size_t i = 0; i < classes; ++i) {
        gradient[i] = static_cast<float>(double{probabilities[i]} * (double{gradient[i]} - sum));
    }
}

}  // namespace

Backward::Backward(const model::ModelFile& file, Plan plan, const Backward* before)
    : file_(&file), plan_(std::move(plan)) {
    const kernels::FlushSubnormals flush_subnormals;
    link_of_step_.resize(plan_.steps.size());
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
        const Step& step = plan_.steps[i];
        if (!step.is_tap) {
            link_of_step_[i] = links_.size();
            links_.emplace_back().step = i;
        }
        if (step.result) links_.back().outputs.push_back(*step.result);
    }
    lay_out();
    for (Link& link : links_) {
        const Step& step = step_of(link);
        if (step.kind != StepKind::convolution) continue;
        const model::ConvolutionLayer& layer = file.network().convolutions()[step.layer];
        link.weights = &file.tensor(model::weight_name(layer.name));
        if (before != nullptr) {
            // Taps aside, the steps are the same.
            const Link& same = before->links_[static_cast<std::size_t>(&link - links_.data())];
            link.convolution = same.convolution;
            link.weights_use = same.weights_use;
        } else {
            auto use =
                std::make_shared<WeightsUse>(use_weights(file, *link.weights, plan_.execution.threads));
            link.convolution = std::make_shared<layers::ConvolutionGradient>(
                plan_.convolutions[step.layer].shape, link.weights->as<float>().data(), plan_.execution);
            if (link.convolution->packs_in_each_run()) link.weights_use = std::move(use);
        }
    }
    if (before != nullptr) use_shared_gradients();
}

void Backward::use_shared_gradients() {
    for (Link& link : links_) {
        if (link.convolution) link.convolution->reshape(step_of(link).input.size, plan_.execution);
    }
}

/// Decides where each link records, and what depends on the batch.
void Backward::lay_out() {
    std::size_t bytes = 0;
    for (Link& link : links_) {
        link.recorded = bytes;
        link.recorded_bytes = bytes_to_record(link);
        bytes += whole_lines(link.recorded_bytes);
    }
    recorded_ = kernels::AlignedBuffer(bytes, plan_.execution.workspace);
    std::size_t most_inputs = 0;
    for (const Link& link : links_) {
        if (step_of(link).kind == StepKind::dense) {
            most_inputs = std::max(most_inputs, step_of(link).input.values());
        }
    }
    zeros_ = kernels::AlignedBuffer(most_inputs * sizeof(float));
    for (Link& link : links_) {
        if (step_of(link).kind == StepKind::dense) link.dense = make_dense(step_of(link));
    }
}

/// The gradient of a dense layer is one with the transposed weights: the same memory in the other order.
std::unique_ptr<layers::Dense> Backward::make_dense(const Step& step) {
    const std::size_t index = step.layer - plan_.convolutions.size();
    layers::DenseProblem problem =
        dense_problem(*file_, file_->network().dense_layers()[index], plan_.execution.threads);
    std::swap(problem.inputs, problem.outputs);
    problem.input_major = !problem.input_major;
    problem.relu_follows = false;
    problem.bias = zeros_.as<float>();
    return std::make_unique<layers::Dense>(problem, plan_.execution);
}

bool Backward::rectifies(const Link& link) const {
    const Step& step = step_of(link);
    if (step.kind == StepKind::convolution) return plan_.convolutions[step.layer].shape.relu;
    if (step.kind == StepKind::relu) return true;
    if (step.kind != StepKind::dense) return false;
    const std::size_t index = step.layer - plan_.convolutions.size();
    return file_->network().dense_layers()[index].relu_follows &&
           !plan_.gives(model::OutputKind::dense, index);
}

std::size_t Backward::bytes_to_record(const Link& link) const {
    const Step& step = step_of(link);
    const std::size_t values = values_of(step.output, plan_.execution);
    if (rectifies(link)) return (values + 7) / 8;
    if (step.kind == StepKind::max_pool) {
        return layers::max_pool_choices_bytes(step.output.channels, step.input.size, plan_.execution);
    }
    return step.kind == StepKind::softmax ? values * sizeof(float) : 0;
}

std::unique_ptr<layers::Operation> Backward::make_max_pool(std::size_t step) {
    const Step& pool = plan_.steps[step];
    return layers::make_recording_max_pool(pool.input.channels, pool.input.size,
                                           recorded_by(links_[*link_of_step_[step]]), plan_.execution);
}

void Backward::attach(std::size_t step, layers::Operation& operation) {
    if (!link_of_step_[step]) return;
    Link& link = links_[*link_of_step_[step]];
    link.records_itself =
        rectifies(link) && is_blocked(step_of(link).output) && operation.record_positive(recorded_by(link));
}

void Backward::record(std::size_t step, const std::byte* output) {
    if (!link_of_step_[step]) return;
    const Link& link = links_[*link_of_step_[step]];
    const Activation& activation = plan_.steps[step].output;
    const std::size_t values = values_of(activation, plan_.execution);
    std::uint8_t* const to = recorded_by(link);
    if (link.records_itself) return;
    if (rectifies(link) && is_blocked(activation)) {
        layers::record_positive(values, as_floats(output), to, plan_.execution);
    } else if (rectifies(link)) {
        record_positive_values(as_floats(output), values, to);
    } else if (plan_.steps[step].kind == StepKind::softmax) {
        std::memcpy(to, output, link.recorded_bytes);
    }
}

/// FNV-1a, by whole numbers.
std::uint64_t Backward::record_layout() const {
    std::uint64_t hash = 14695981039346656037U;
    const auto add = [&](std::uint64_t number) { hash = (hash ^ number) * 1099511628211U; };
    add(static_cast<std::uint64_t>(plan_.execution.isa));
    for (const Link& link : links_) {
        const Step& step = step_of(link);
        add(static_cast<std::uint64_t>(step.kind));
        add(step.layer);
        add(link.recorded_bytes);
    }
    return hash;
}

std::size_t Backward::activation_bytes() const {
    std::size_t bytes = 0;
    for (const Link& link : links_) {
        const Step& step = step_of(link);
        bytes = std::max(bytes, input_bytes(step, plan_.execution) + output_bytes(step, plan_.execution));
    }
    return bytes;
}

std::size_t Backward::scratch_bytes() const {
    std::size_t bytes = 0;
    for (const Link& link : links_) {
        if (link.convolution) bytes = std::max(bytes, link.convolution->scratch_bytes());
        if (link.dense) bytes = std::max(bytes, link.dense->scratch_bytes());
    }
    return bytes;
}

/// One call of run(): goes through the links from the last one on, with the gradient of each one's value.
class Backward::Run {
  public:
    Run(Backward& backward, std::byte* activations, std::byte* scratch,
        std::span<const std::span<const float>> output_gradients)
        : backward_(backward),
          execution_(backward.plan_.execution),
          activations_(activations),
          memory_bytes_(backward.activation_bytes()),
          scratch_(scratch),
          output_gradients_(output_gradients) {}

    void run(float* input_gradient, const RunOptions& options) {
        std::fill(options.seconds.begin(), options.seconds.end(), 0.0);
        for (std::size_t i = backward_.links_.size(); i-- > 0;) {
            const Link& link = backward_.links_[i];
            const Step& step = backward_.step_of(link);
            kernels::CallersThreads::rethrow();
            if (options.is_cancelled && kernels::call_callers(options.is_cancelled)) {
                throw Error(ErrorKind::cancelled,
                            "backward was cancelled before the gradient of " + step.text());
            }
            const Clock::time_point begin = Clock::now();
            add_output_gradients(link);
            if (gradient_ == nullptr) continue;
            to_input(link, i > 0 ? passes_of(backward_.links_[i - 1]) : nullptr);
            if (options.seconds.empty()) continue;
            options.seconds[link.step] = std::chrono::duration<double>(Clock::now() - begin).count();
        }
        const Step& first = backward_.plan_.steps.front();
        if (gradient_ == nullptr) {
            std::fill_n(input_gradient, values_of(first.input, execution_), 0.0F);
        } else {
            layers::to_plain(first.input.channels, first.input.size, 1, gradient_, input_gradient,
                             execution_);
        }
    }

  private:
    using Clock = std::chrono::steady_clock;

    bool has_output_gradient(const Link& link) const {
        return std::any_of(link.outputs.begin(), link.outputs.end(),
                           [&](std::size_t output) { return !output_gradients_[output].empty(); });
    }
    /// What the next link's gradient with respect to its input, this link's value, must be multiplied by.
    /// Gradients of outputs would have to be added before, and then bring it along.
    const std::uint8_t* passes_of(const Link& link) const {
        if (!backward_.rectifies(link) || !is_blocked(backward_.step_of(link).output)) return nullptr;
        return has_output_gradient(link) ? nullptr : backward_.recorded_by(link);
    }

    /// The other end of the memory.
    float* other_end(std::size_t bytes) {
        at_the_end_ = !at_the_end_;
        return as_floats(activations_ + (at_the_end_ ? memory_bytes_ - bytes : 0));
    }

    /// Adds the gradients of outputs that are the link's value; maps then also pass its ReLU.
    void add_output_gradients(const Link& link) {
        const Activation& value = backward_.step_of(link).output;
        auto left = static_cast<std::size_t>(
            std::count_if(link.outputs.begin(), link.outputs.end(),
                          [&](std::size_t output) { return !output_gradients_[output].empty(); }));
        for (const std::size_t output : link.outputs) {
            const std::span<const float> added = output_gradients_[output];
            if (added.empty()) continue;
            --left;
            const bool adds = gradient_ != nullptr;
            if (!adds) gradient_ = other_end(output_bytes(backward_.step_of(link), execution_));
            if (is_blocked(value)) {
                const std::uint8_t* passes =
                    left == 0 && backward_.rectifies(link) ? backward_.recorded_by(link) : nullptr;
                layers::to_blocked(value.channels, value.size, added.data(), adds, passes, gradient_,
                                   execution_);
            } else if (adds) {
                std::transform(added.begin(), added.end(), gradient_, gradient_, std::plus<>());
            } else {
                std::copy(added.begin(), added.end(), gradient_);
            }
        }
    }

    /// From the gradient of the link's value to that of its step's input.
    void to_input(const Link& link, const std::uint8_t* passes) {
        const Step& step = backward_.step_of(link);
        const std::uint8_t* const recorded = backward_.recorded_by(link);
        const std::size_t channels = step.input.channels;
        const float* const given = gradient_;
        const auto target = [&] { return gradient_ = other_end(input_bytes(step, execution_)); };
        if (!is_blocked(step.output) && backward_.rectifies(link)) {
            apply_positive_values(recorded, values_of(step.output, execution_), gradient_);
        }
        switch (step.kind) {
            case StepKind::convolution:
                link.convolution->run(given, target(), link.weights->as<float>().data(), passes, scratch_);
                break;
            case StepKind::max_pool:
                layers::pool_gradient(channels, step.input.size, given, recorded, passes, target(),
                                      execution_);
                break;
            case StepKind::average_pool_2x2:
                layers::pool_gradient(channels, step.input.size, given, nullptr, passes, target(),
                                      execution_);
                break;
            case StepKind::average_pool:
            case StepKind::flatten:
                layers::adaptive_pool_gradient(channels, step.input.size, step.output.size, given, passes,
                                               target(), execution_);
                break;
            case StepKind::dense:
                link.dense->run(reinterpret_cast<const std::byte*>(given),
                                reinterpret_cast<std::byte*>(target()), scratch_);
                break;
            case StepKind::softmax:
                for (std::size_t image = 0; image < execution_.batch; ++image) {
                    softmax_gradient(reinterpret_cast<const float*>(recorded) + image * channels, channels,
                                     gradient_ + image * channels);
                }
                break;
            case StepKind::relu:  // of a map, it was applied with the last gradient that was added
            case StepKind::quantization:
            case StepKind::output:
                break;
        }
    }

    Backward& backward_;
    const layers::Execution& execution_;
    std::byte* activations_;
    std::size_t memory_bytes_;
    std::byte* scratch_;
    std::span<const std::span<const float>> output_gradients_;
    float* gradient_ = nullptr;  ///< of the current link's value; null while it is zero
    bool at_the_end_ = false;
};

void Backward::run(std::byte* activations, std::byte* scratch,
                   std::span<const std::span<const float>> output_gradients, float* input_gradient,
                   const RunOptions& options) {
    const kernels::FlushSubnormals flush_subnormals;
    std::optional<kernels::OpenMpThreads> openmp_threads;  // those of the run still watch for loops
    if (plan_.runs_onednn()) openmp_threads.emplace(plan_.execution.threads);
    Run(*this, activations, scratch, output_gradients).run(input_gradient, options);
}

}  // namespace vgg19
