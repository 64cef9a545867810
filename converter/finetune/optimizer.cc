#include "converter/finetune/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/common/floating_point_mode.h"
#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

constexpr std::size_t convolution_dimensions = 4;

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

float decay_of(const Parameter& parameter, const OptimizerOptions& options) {
    return parameter.is_weight ? static_cast<float>(options.weight_decay) : 0.0F;
}

constexpr std::size_t part_size = std::size_t{1} << 16U;

std::size_t parts_of(std::size_t values) {
    return (values + part_size - 1) / part_size;
}

/// What relative_adam multiplies steps by. The parts are the same for any number of threads, and so is the
/// result.
float scale_of(std::span<const float> values, int threads) {
    constexpr double least = 1e-3;
    std::vector<double> sums(parts_of(values.size()));
    kernels::parallel_for(threads, sums.size(), [&](std::size_t part) {
        const auto [begin, end] = kernels::part_of(values.size(), sums.size(), part);
        for (const float value : values.subspan(begin, end - begin)) {
            sums[part] += static_cast<double>(value) * static_cast<double>(value);
        }
    });
    const double sum = std::accumulate(sums.begin(), sums.end(), 0.0);
    return static_cast<float>(std::max(least, std::sqrt(sum / static_cast<double>(values.size()))));
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
        if (is_adam(options_.kind)) {
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
    auto memory = state_.begin();
    for (const Parameter& parameter : parameters_) {
        if (parameter.gradient.empty()) continue;
        const std::span<float> first = (memory++)->values;
        if (is_adam(options_.kind)) {
            step_by_adam(parameter, learning_rate, first, (memory++)->values);
        } else {
            step_by_sgd(parameter, learning_rate, first);
        }
    }
}

void Optimizer::step_by_adam(const Parameter& parameter, double learning_rate, std::span<float> average,
                             std::span<float> square_average) const {
    const auto steps = static_cast<double>(steps_);
    const AdamStep common = {
        .decay = decay_of(parameter, options_),
        .beta1_rest = static_cast<float>(1 - options_.beta1),
        .beta2 = static_cast<float>(options_.beta2),
        .beta2_rest = static_cast<float>(1 - options_.beta2),
        .step_size = static_cast<float>(learning_rate / (1 - std::pow(options_.beta1, steps))),
        .root_of_correction = static_cast<float>(std::sqrt(1 - std::pow(options_.beta2, steps))),
        .epsilon = static_cast<float>(options_.epsilon),
    };
    const bool is_relative = options_.kind == OptimizerKind::relative_adam;
    const bool by_channel = is_relative && parameter.shape.size() == convolution_dimensions;
    const float scale = is_relative && !by_channel ? scale_of(parameter.values, options_.threads) : 1;
    const std::size_t parts = by_channel ? parameter.shape.front() : parts_of(parameter.values.size());
    kernels::parallel_for(options_.threads, parts, [&](std::size_t part) {
        const auto [begin, end] = kernels::part_of(parameter.values.size(), parts, part);
        const std::span<float> values = parameter.values.subspan(begin, end - begin);
        AdamStep step = common;
        step.step_size *= by_channel ? scale_of(values, 1) : scale;
        adam(step, values.size(), parameter.gradient.data() + begin, values.data(), average.data() + begin,
             square_average.data() + begin);
    });
}

void Optimizer::step_by_sgd(const Parameter& parameter, double learning_rate,
                            std::span<float> momentum) const {
    const SgdStep step = {.decay = decay_of(parameter, options_),
                          .momentum = static_cast<float>(options_.momentum),
                          .learning_rate = static_cast<float>(learning_rate)};
    const std::size_t parts = parts_of(parameter.values.size());
    kernels::parallel_for(options_.threads, parts, [&](std::size_t part) {
        const auto [begin, end] = kernels::part_of(parameter.values.size(), parts, part);
        sgd(step, end - begin, parameter.gradient.data() + begin, parameter.values.data() + begin,
            momentum.data() + begin);
    });
}

}  // namespace vgg19::converter
