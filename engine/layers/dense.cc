#include "engine/layers/dense.h"

#include <algorithm>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/parallel.h"
#include "kernels/dense_fp32/dense_fp32.h"
#include "kernels/dense_int4/dense_int4.h"
#include "kernels/dense_int8/dense_int8.h"
#include "kernels/dense_int8_sparse_input/dense_int8_sparse_input.h"
#include "kernels/dense_sparse_input/dense_sparse_input.h"
#include "kernels/quantize_activations/quantize_activations.h"
#include "vgg19/error.h"

namespace vgg19::layers {

namespace {

/// Rows that one thread takes at a time: ranges start where a kernel's register tile does.
constexpr std::size_t row_granularity = 16;

/// Calls a dense kernel on every thread's part of the outputs.
template <class Function, class Problem>
void run_in_parts(const kernels::Kernel<Function>& kernel, const Problem& problem, int threads,
                  std::size_t granularity = row_granularity) {
    const auto parts = static_cast<std::size_t>(threads);
    kernels::parallel_for(threads, parts, [&](std::size_t part) {
        const kernels::Range rows = kernels::part_of(problem.outputs, parts, part, granularity);
        if (rows.begin < rows.end) kernel.run(problem, rows.begin, rows.end);
    });
}

class Fp32Dense final : public Dense {
  public:
    Fp32Dense(const DenseProblem& problem, const Execution& execution)
        : threads_(execution.threads),
          kernel_(kernels::select(kernels::dense_fp32_kernels(), execution.isa)),
          problem_{.batch = execution.batch,
                   .inputs = problem.inputs,
                   .outputs = problem.outputs,
                   .weights = problem.weights,
                   .bias = problem.bias,
                   .relu = problem.relu_follows} {}

    void run(const float* input, float* output) override {
        problem_.input = input;
        problem_.output = output;
        run_in_parts(kernel_, problem_, threads_);
    }
    std::string kernel() const override { return kernel_.name; }
    std::size_t weight_bytes() const override { return problem_.inputs * problem_.outputs * sizeof(float); }

  private:
    int threads_;
    kernels::Kernel<kernels::DenseFp32Function> kernel_;
    kernels::DenseFp32 problem_;
};

/// Reads only the weights of inputs that are not zero.
class SparseInputDense final : public Dense {
  public:
    SparseInputDense(const DenseProblem& problem, const Execution& execution)
        : threads_(execution.threads),
          kernel_(kernels::select(kernels::dense_sparse_input_kernels(), execution.isa)),
          rows_(problem.inputs),
          partial_sums_(execution.batch * problem.outputs * sizeof(float)),
          problem_{.batch = execution.batch,
                   .inputs = problem.inputs,
                   .outputs = problem.outputs,
                   .weights = problem.weights,
                   .bias = problem.bias,
                   .rows = rows_.data(),
                   .partial_sums = partial_sums_.as<float>(),
                   .relu = problem.relu_follows} {}

    void run(const float* input, float* output) override {
        problem_.input = input;
        problem_.output = output;
        problem_.row_count =
            kernels::list_nonzero_inputs(input, problem_.batch, problem_.inputs, rows_.data());
        run_in_parts(kernel_, problem_, threads_);
    }
    std::string kernel() const override { return kernel_.name; }
    std::size_t weight_bytes() const override { return problem_.inputs * problem_.outputs * sizeof(float); }

  private:
    int threads_;
    kernels::Kernel<kernels::DenseSparseInputFunction> kernel_;
    std::vector<std::uint32_t> rows_;
    kernels::AlignedBuffer partial_sums_;
    kernels::DenseSparseInput problem_;
};

/// The input of an INT8 layer. Each image has its own scale, so that its result does not depend on the others
/// of the batch.
class QuantizedInput {
  public:
    QuantizedInput(const DenseProblem& problem, const Execution& execution)
        : inputs_(problem.inputs),
          quantize_(kernels::select(kernels::quantize_activations_kernels(), execution.isa)),
          values_(execution.batch * problem.inputs),
          scales_(execution.batch) {}

    void set(const float* input) {
        for (std::size_t image = 0; image < scales_.size(); ++image) {
            const std::size_t offset = image * inputs_;
            scales_[image] = quantize_.run(input + offset, inputs_, values_.data() + offset);
        }
    }
    const std::uint8_t* values() const { return values_.data(); }
    const float* scales() const { return scales_.data(); }

  private:
    std::size_t inputs_;
    kernels::Kernel<kernels::QuantizeActivationsFunction> quantize_;
    std::vector<std::uint8_t> values_;
    std::vector<float> scales_;
};

class Int8Dense final : public Dense {
  public:
    Int8Dense(const DenseProblem& problem, const Execution& execution)
        : threads_(execution.threads),
          kernel_(kernels::select(kernels::dense_int8_kernels(), execution.isa)),
          input_(problem, execution),
          problem_{.batch = execution.batch,
                   .inputs = problem.inputs,
                   .outputs = problem.outputs,
                   .input = input_.values(),
                   .input_scale = input_.scales(),
                   .weights = problem.int8_weights,
                   .weight_scale = problem.weight_scale,
                   .bias = problem.bias,
                   .relu = problem.relu_follows} {}

    void run(const float* input, float* output) override {
        input_.set(input);
        problem_.output = output;
        run_in_parts(kernel_, problem_, threads_);
    }
    std::string kernel() const override { return kernel_.name; }
    std::size_t weight_bytes() const override { return problem_.inputs * problem_.outputs; }

  private:
    int threads_;
    kernels::Kernel<kernels::DenseInt8Function> kernel_;
    QuantizedInput input_;
    kernels::DenseInt8 problem_;
};

/// Reads only the weights of inputs that are not zero in 8 bits.
class Int8SparseInputDense final : public Dense {
  public:
    Int8SparseInputDense(const DenseProblem& problem, const Execution& execution)
        : threads_(execution.threads),
          kernel_(kernels::select(kernels::dense_int8_sparse_input_kernels(), execution.isa)),
          input_(problem, execution),
          rows_(problem.inputs),
          problem_{.batch = execution.batch,
                   .inputs = problem.inputs,
                   .outputs = problem.outputs,
                   .input = input_.values(),
                   .input_scale = input_.scales(),
                   .weights = problem.int8_weights,
                   .weight_scale = problem.weight_scale,
                   .bias = problem.bias,
                   .rows = rows_.data(),
                   .relu = problem.relu_follows},
          sums_(problem_.batch * problem_.padded_outputs() * sizeof(std::int32_t)) {
        problem_.sums = sums_.as<std::int32_t>();
    }

    void run(const float* input, float* output) override {
        input_.set(input);
        problem_.output = output;
        problem_.row_count =
            kernels::list_nonzero_inputs(problem_.input, problem_.batch, problem_.inputs, rows_.data());
        run_in_parts(kernel_, problem_, threads_, kernels::DenseInt8SparseInput::granularity);
    }
    std::string kernel() const override { return kernel_.name; }
    std::size_t weight_bytes() const override { return problem_.inputs * problem_.outputs; }

  private:
    int threads_;
    kernels::Kernel<kernels::DenseInt8SparseInputFunction> kernel_;
    QuantizedInput input_;
    std::vector<std::uint32_t> rows_;
    kernels::DenseInt8SparseInput problem_;
    kernels::AlignedBuffer sums_;
};

/// Reads only the weights of inputs that are not zero, which stay in FP32.
class Int4Dense final : public Dense {
  public:
    Int4Dense(const DenseProblem& problem, const Execution& execution)
        : threads_(execution.threads),
          kernel_(kernels::select(kernels::dense_int4_kernels(), execution.isa)),
          rows_(problem.inputs),
          problem_{.batch = execution.batch,
                   .inputs = problem.inputs,
                   .outputs = problem.outputs,
                   .weights = problem.int4_weights,
                   .weight_scale = problem.int4_scale,
                   .bias = problem.bias,
                   .rows = rows_.data(),
                   .relu = problem.relu_follows},
          sums_(2 * problem_.batch * problem_.padded_outputs() * sizeof(float)) {
        problem_.sums = sums_.as<float>();
    }

    void run(const float* input, float* output) override {
        problem_.input = input;
        problem_.output = output;
        problem_.row_count =
            kernels::list_nonzero_inputs(input, problem_.batch, problem_.inputs, rows_.data());
        run_in_parts(kernel_, problem_, threads_, kernels::DenseInt4::granularity);
    }
    std::string kernel() const override { return kernel_.name; }
    std::size_t weight_bytes() const override {
        return problem_.inputs * problem_.groups() * (kernels::int4_group_bytes + sizeof(std::uint16_t));
    }

  private:
    int threads_;
    kernels::Kernel<kernels::DenseInt4Function> kernel_;
    std::vector<std::uint32_t> rows_;
    kernels::DenseInt4 problem_;
    kernels::AlignedBuffer sums_;
};

std::unique_ptr<Dense> make_int8_dense(const DenseProblem& problem, const Execution& execution) {
    if (problem.input_major) return std::make_unique<Int8SparseInputDense>(problem, execution);
    return std::make_unique<Int8Dense>(problem, execution);
}

/// INT8 for inputs of both signs, which the kernels do not take. They get x − m, where m is the least input
/// (or 0), and the bias becomes bias[o] + m · Σ_i w[o][i], so that the result is that of x.
class SignedInt8Dense final : public Dense {
  public:
    SignedInt8Dense(const DenseProblem& problem, const Execution& execution)
        : batch_(execution.batch),
          old_bias_(problem.bias),
          weight_sums_(weight_sums(problem)),
          input_(problem.inputs),
          bias_(problem.outputs) {
        DenseProblem shifted = problem;
        shifted.bias = bias_.data();
        Execution one_image = execution;  // each has its own m
        one_image.batch = 1;
        unsigned_ = make_int8_dense(shifted, one_image);
    }

    void run(const float* input, float* output) override {
        for (std::size_t image = 0; image < batch_; ++image) {
            const float* x = input + image * input_.size();
            const float least = std::min(*std::min_element(x, x + input_.size()), 0.0F);
            std::transform(x, x + input_.size(), input_.begin(),
                           [least](float value) { return value - least; });
            for (std::size_t o = 0; o < bias_.size(); ++o) bias_[o] = old_bias_[o] + least * weight_sums_[o];
            unsigned_->run(input_.data(), output + image * bias_.size());
        }
    }
    std::string kernel() const override { return unsigned_->kernel(); }
    std::size_t weight_bytes() const override { return unsigned_->weight_bytes(); }

  private:
    /// Of each output, in FP32. The integers' sums are exact.
    static std::vector<float> weight_sums(const DenseProblem& problem) {
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

    std::size_t batch_;
    const float* old_bias_;
    std::vector<float> weight_sums_;
    std::vector<float> input_;
    std::vector<float> bias_;
    std::unique_ptr<Dense> unsigned_;
};

}  // namespace

std::unique_ptr<Dense> make_dense(const DenseProblem& problem, const Execution& execution) {
    if (problem.weights != nullptr) {
        if (problem.input_major) return std::make_unique<SparseInputDense>(problem, execution);
        return std::make_unique<Fp32Dense>(problem, execution);
    }
    if (problem.int4_weights != nullptr) return std::make_unique<Int4Dense>(problem, execution);
    if (problem.inputs > kernels::dense_int8_max_inputs) {
        throw Error(ErrorKind::bad_input, "an INT8 dense layer can have " +
                                              std::to_string(kernels::dense_int8_max_inputs) +
                                              " inputs at most, found " + std::to_string(problem.inputs));
    }
    if (problem.signed_input) return std::make_unique<SignedInt8Dense>(problem, execution);
    return make_int8_dense(problem, execution);
}

}  // namespace vgg19::layers
