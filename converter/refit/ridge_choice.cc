#include "converter/refit/ridge_choice.h"

#include <utility>

#include "kernels/dense/schedule.h"

namespace vgg19::converter {

namespace {

/// The candidates: larger ones suit few samples, smaller ones many. A finer choice would hardly change
/// results.
constexpr double ridges[] = {0.0003, 0.003, 0.03, 0.3};

double squared_sum(std::span<const float> values) {
    double sum = 0;
    for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
    return sum;
}

}  // namespace

void multiply_rows(const layers::Execution& execution, std::span<const float> rows,
                   std::span<const float> weights, std::span<const float> offset, std::span<float> outputs) {
    constexpr std::size_t task_outputs = 32;
    const std::size_t count = offset.size();
    const std::size_t batch = outputs.size() / count;
    const auto kernel = kernels::select(kernels::dense_fp32_kernels(), execution.isa);
    const kernels::Dense problem = {.batch = batch,
                                    .inputs = rows.size() / batch,
                                    .outputs = count,
                                    .input = rows.data(),
                                    .fp32_weights = weights.data(),
                                    .bias = offset.data(),
                                    .output = outputs.data()};
    const kernels::DenseSchedule schedule = {
        .input_ranges = 1, .strips = (count + task_outputs - 1) / task_outputs, .threads = execution.threads};
    kernels::run_dense(*kernel.run, kernels::DenseWeights::fp32_output_major, problem, schedule, nullptr);
}

RidgeChoice choose_ridge(const layers::Execution& execution, const LeastSquares& equations,
                         std::size_t outputs, std::span<const float> held_rows,
                         std::span<const float> held_targets) {
    RidgeChoice best;
    const double plain = squared_sum(held_targets);
    std::vector<float> left(held_targets.size());
    const std::vector<float> no_offset(outputs);
    for (const double ridge : ridges) {
        std::vector<float> values = equations.solve(ridge);
        multiply_rows(execution, held_rows, values, no_offset, left);
        for (std::size_t i = 0; i < left.size(); ++i) left[i] -= held_targets[i];
        const double error = squared_sum(left) / plain;
        if (error < best.error) best = {std::move(values), ridge, error};
    }
    return best;
}

}  // namespace vgg19::converter
