#include "converter/refit/row_products.h"

#include "kernels/dense/schedule.h"

namespace vgg19::converter {

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

double squared_sum(std::span<const float> values) {
    double sum = 0;
    for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
    return sum;
}

}  // namespace vgg19::converter
