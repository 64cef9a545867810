#include "converter/finetune/optimizer.h"

#include <cmath>

#include "kernels/common/floating_point_mode.h"
#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

/// The constants of a step, in the precision of the values.
struct AdamStep {
    float decay;
    float beta1_rest;  ///< 1 − beta1
    float beta2;
    float beta2_rest;
    float step_size;           ///< learning rate / (1 − beta1^steps)
    float root_of_correction;  ///< √(1 − beta2^steps)
    float epsilon;
};

void adam(const AdamStep& step, std::size_t count, const float* __restrict gradient, float* __restrict values,
          float* __restrict average, float* __restrict square_average) {
    for (std::size_t i = 0; i < count; ++i) {
        const float g = gradient[i] + step.decay * values[i];
        const float m = average[i] + (g - average[i]) * step.beta1_rest;
        const float v = square_average[i] * step.beta2 + g * g * step.beta2_rest;
        average[i] = m;
        square_average[i] = v;
        values[i] -= step.step_size * (m / (std::sqrt(v) / step.root_of_correction + step.epsilon));
    }
}

struct SgdStep {
    float decay;
    float momentum;
    float learning_rate;
};

void sgd(const SgdStep& step, std::size_t count, const float* __restrict gradient, float* __restrict values,
         float* __restrict momentum) {
    for (std::size_t i = 0; i < count; ++i) {
        const float g = gradient[i] + step.decay * values[i];
        const float m = step.momentum * momentum[i] + g;
        momentum[i] = m;
        values[i] -= step.learning_rate * m;
    }
}

}  // namespace

Optimizer::Optimizer(std::span<const Parameter> parameters, const OptimizerOptions& options)
    : parameters_(parameters), options_(options) {
    if (options_.threads == 0) options_.threads = kernels::available_cpus();
    const auto remember = [&](const Parameter& parameter, const char* name) {
        memory_.emplace_back(parameter.values.size());
        state_.push_back({parameter.name, name, memory_.back()});
    };
    for (const Parameter& parameter : parameters_) {
        if (parameter.gradient.empty()) continue;
        if (options_.kind == OptimizerKind::adam) {
            remember(parameter, "exp_avg");
            remember(parameter, "exp_avg_sq");
        } else {
            remember(parameter, "momentum_buffer");
        }
    }
}

void Optimizer::step(double learning_rate) {
    const kernels::FlushSubnormals flush_subnormals;  // averages of vanished gradients become so
    ++steps_;
    const auto single = [](double value) { return static_cast<float>(value); };
    const auto steps = static_cast<double>(steps_);
    AdamStep adam_step{
        .decay = 0,
        .beta1_rest = single(1 - options_.beta1),
        .beta2 = single(options_.beta2),
        .beta2_rest = single(1 - options_.beta2),
        .step_size = single(learning_rate / (1 - std::pow(options_.beta1, steps))),
        .root_of_correction = single(std::sqrt(1 - std::pow(options_.beta2, steps))),
        .epsilon = single(options_.epsilon),
    };
    SgdStep sgd_step{
        .decay = 0, .momentum = single(options_.momentum), .learning_rate = single(learning_rate)};

    auto memory = state_.begin();
    for (const Parameter& parameter : parameters_) {
        if (parameter.gradient.empty()) continue;
        const float decay = parameter.is_weight ? single(options_.weight_decay) : 0.0F;
        adam_step.decay = sgd_step.decay = decay;
        const bool is_adam = options_.kind == OptimizerKind::adam;
        float* const first = (memory++)->values.data();
        float* const second = is_adam ? (memory++)->values.data() : nullptr;
        constexpr std::size_t part_size = std::size_t{1} << 16U;
        const std::size_t size = parameter.values.size();
        const std::size_t parts = (size + part_size - 1) / part_size;
        kernels::parallel_for(options_.threads, parts, [&](std::size_t part) {
            const kernels::Range range = kernels::part_of(size, parts, part);
            const std::size_t count = range.end - range.begin;
            const float* gradient = parameter.gradient.data() + range.begin;
            float* values = parameter.values.data() + range.begin;
            if (is_adam) {
                adam(adam_step, count, gradient, values, first + range.begin, second + range.begin);
            } else {
                sgd(sgd_step, count, gradient, values, first + range.begin);
            }
        });
    }
}

}  // namespace vgg19::converter
