#include "engine/layers/dense.h"

#include <algorithm>

#include "vgg19/error.h"

namespace vgg19::layers {

namespace {

void require_int8_inputs(const DenseProblem& problem) {
    if (!kernels::is_int8(problem.type()) || problem.inputs <= kernels::dense_int8_max_inputs) return;
    throw Error(ErrorKind::bad_input, "an INT8 dense layer can have " +
                                          std::to_string(kernels::dense_int8_max_inputs) +
                                          " inputs at most, found " + std::to_string(problem.inputs));
}

/// Σ_i w[o][i] for each output of an INT8 layer, in FP32. The integer sums are exact.
std::vector<float> weight_sums(const DenseProblem& problem) {
    std::vector<std::int64_t> sums(problem.outputs);
    for (std::size_t i = 0; i < problem.inputs * problem.outputs; ++i) {
        sums[problem.input_major ? i % problem.outputs : i / problem.inputs] += problem.int8_weights[i];
    }
    std::vector<float> scaled(problem.outputs);
    for (std::size_t o = 0; o < problem.outputs; ++o) {
        scaled[o] = static_cast<float>(sums[o]) * problem.weight_scale[o];
    }
    return scaled;
}

}  // namespace

kernels::DenseWeights DenseProblem::type() const {
    using enum kernels::DenseWeights;
    if (weights != nullptr) return input_major ? fp32_input_major : fp32_output_major;
    if (int8_weights != nullptr) return input_major ? int8_input_major : int8_output_major;
    return int4_input_major;
}

Dense::Dense(const DenseProblem& problem, const Execution& execution)
    : weights_owner_(problem.weights_owner),
      weights_(problem.type()),
      kernel_(kernels::select(kernels::dense_kernels(weights_), execution.isa)),
      problem_{.inputs = problem.inputs,
               .outputs = problem.outputs,
               .fp32_weights = problem.weights,
               .int8_weights = problem.int8_weights,
               .int8_scale = problem.weight_scale,
               .int4_weights = problem.int4_weights,
               .int4_scale = problem.int4_scale,
               .bias = problem.bias,
               .relu = problem.relu_follows},
      quantize_(kernels::select(kernels::quantize_activations_kernels(), execution.isa)),
      signed_int8_(kernels::is_int8(weights_) && problem.signed_input),
      bias_(problem.bias) {
    require_int8_inputs(problem);
    if (kernels::is_input_major(weights_)) {
        input_rows_.resize(problem.inputs);
        problem_.input_rows = input_rows_.data();
    }
    if (signed_int8_) {
        weight_sums_ = weight_sums(problem);
        shifted_input_.resize(problem.inputs);
        shifted_bias_.resize(problem.outputs);
        problem_.bias = shifted_bias_.data();
    }
    set_batch(execution);
}

void Dense::set_batch(const Execution& execution) {
    if (kernels::is_int8(weights_)) {
        int8_input_.resize(execution.batch * problem_.inputs);
        input_scales_.resize(execution.batch);
        problem_.int8_input = int8_input_.data();
        problem_.input_scale = input_scales_.data();
    }
    problem_.batch = execution.batch;
    schedule_ =
        kernels::dense_schedule(weights_, problem_, execution.cpu(), execution.isa, execution.threads);
}

bool Dense::reshape(MapSize /*size*/, const Execution& execution) {
    set_batch(execution);
    return true;
}

void Dense::run(const std::byte* input, std::byte* output, std::byte* scratch) {
    problem_.output = as_floats(output);
    if (signed_int8_) return run_signed_int8(as_floats(input), as_floats(output), scratch);
    if (kernels::is_int8(weights_)) return run_int8(as_floats(input), scratch);
    run_fp32_input(as_floats(input), scratch);
}

void Dense::run_fp32_input(const float* input, std::byte* scratch) {
    problem_.input = input;
    if (kernels::is_input_major(weights_)) {
        problem_.input_row_count =
            kernels::list_nonzero_inputs(input, problem_.batch, problem_.inputs, input_rows_.data());
    }
    kernels::run_dense(*kernel_.run, weights_, problem_, schedule_, scratch);
}

/// Each image has its own scale, so that its result does not depend on the rest of the batch.
void Dense::run_int8(const float* input, std::byte* scratch) {
    for (std::size_t image = 0; image < problem_.batch; ++image) {
        const std::size_t offset = image * problem_.inputs;
        input_scales_[image] = quantize_.run(input + offset, problem_.inputs, int8_input_.data() + offset);
    }
    if (kernels::is_input_major(weights_)) {
        problem_.input_row_count = kernels::list_nonzero_inputs(int8_input_.data(), problem_.batch,
                                                                problem_.inputs, input_rows_.data());
    }
    kernels::run_dense(*kernel_.run, weights_, problem_, schedule_, scratch);
}

/// INT8 kernels do not support negative inputs. They get x − m, where m is the smallest input (at most 0),
/// and the bias becomes bias[o] + m · Σ_i w[o][i], so that the result is that of x. Each image has its own m.
void Dense::run_signed_int8(const float* input, float* output, std::byte* scratch) {
    const std::size_t batch = problem_.batch;
    problem_.batch = 1;
    for (std::size_t image = 0; image < batch; ++image) {
        const float* x = input + image * problem_.inputs;
        const float least = std::min(*std::min_element(x, x + problem_.inputs), 0.0F);
        std::transform(x, x + problem_.inputs, shifted_input_.begin(),
                       [least](float value) { return value - least; });
        for (std::size_t o = 0; o < problem_.outputs; ++o) {
            shifted_bias_[o] = bias_[o] + least * weight_sums_[o];
        }
        problem_.output = output + image * problem_.outputs;
        run_int8(shifted_input_.data(), scratch);
    }
    problem_.batch = batch;
}

std::size_t Dense::scratch_bytes() const {
    return kernels::dense_scratch_bytes(weights_, problem_, schedule_);
}

std::size_t Dense::weight_bytes() const {
    return problem_.inputs * kernels::dense_row_bytes(weights_, problem_.outputs);
}

}  // namespace vgg19::layers
