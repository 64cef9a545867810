// For tests of dense kernels: a layer, its reference, and checks that apply to all types of weights.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/kernels.h"
#include "kernels/common/testing/random.h"
#include "kernels/dense/dense.h"

namespace vgg19::kernels::testing {

/// Numbers of inputs and outputs just below and above every vector's and tile's length.
inline constexpr std::size_t dense_sizes[] = {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129};
inline constexpr std::size_t dense_largest_batch = 5;

template <class Body>
void for_each_dense_size(const Body& body) {
    for (const std::size_t inputs : dense_sizes) {
        for (const std::size_t outputs : dense_sizes) {
            for (std::size_t batch = 1; batch <= dense_largest_batch; ++batch) body(inputs, outputs, batch);
        }
    }
}

/// A problem in buffers that end at guard pages. Those that the weights' type does not need are empty; INT8's
/// scales are one, so that outputs without a bias equal the sums.
struct DenseLayer {
    DenseLayer(DenseWeights type, std::size_t inputs, std::size_t outputs, std::size_t batch)
        : weights_type(type),
          problem{.batch = batch, .inputs = inputs, .outputs = outputs},
          input(is_int8(type) ? 0 : batch * inputs),
          int8_input(is_int8(type) ? batch * inputs : 0),
          input_scale(is_int8(type) ? batch : 0),
          fp32_weights(is_int8(type) || is_int4() ? 0 : inputs * outputs),
          int8_weights(is_int8(type) ? inputs * outputs : 0),
          int8_scale(is_int8(type) ? outputs : 0),
          int4_weights(is_int4() ? inputs * problem.int4_groups() * int4_group_bytes : 0),
          int4_scale(is_int4() ? inputs * problem.int4_groups() : 0),
          bias(outputs),
          output(batch * outputs) {
        std::fill(input_scale.begin(), input_scale.end(), 1.0F);
        std::fill(int8_scale.begin(), int8_scale.end(), 1.0F);
        problem.input = input.data();
        problem.int8_input = int8_input.data();
        problem.input_scale = input_scale.data();
        problem.fp32_weights = fp32_weights.data();
        problem.int8_weights = int8_weights.data();
        problem.int8_scale = int8_scale.data();
        problem.int4_weights = int4_weights.data();
        problem.int4_scale = int4_scale.data();
        problem.bias = bias.data();
        problem.output = output.data();
    }

    /// To be called after the input has been set.
    void list_rows() {
        rows.resize(problem.inputs);
        problem.input_row_count =
            is_int8(weights_type)
                ? list_nonzero_inputs(problem.int8_input, problem.batch, problem.inputs, rows.data())
                : list_nonzero_inputs(problem.input, problem.batch, problem.inputs, rows.data());
        rows.resize(problem.input_row_count);
        rows.shrink_to_fit();
        problem.input_rows = rows.data();
    }
    bool is_int4() const { return weights_type == DenseWeights::int4_input_major; }

    DenseWeights weights_type;
    Dense problem;
    GuardedBuffer<float> input;
    GuardedBuffer<std::uint8_t> int8_input;
    GuardedBuffer<float> input_scale;
    GuardedBuffer<float> fp32_weights;
    GuardedBuffer<std::int8_t> int8_weights;
    GuardedBuffer<float> int8_scale;
    GuardedBuffer<std::uint8_t> int4_weights;
    GuardedBuffer<std::uint16_t> int4_scale;
    GuardedBuffer<float> bias;
    GuardedBuffer<float> output;
    std::vector<std::uint32_t> rows;
};

/// A kernel for one type of weights.
struct DenseKernel {
    const char* name;
    const DenseSteps* steps;
    DenseWeights weights;

    /// Computes outputs [begin, end) in one go; sums of the parts, last to first, are in a buffer of their
    /// own.
    void run(Dense problem, std::size_t begin, std::size_t end) const {
        constexpr std::size_t int8_parts = 3;
        problem.parts = dense_parts(weights, problem.inputs, int8_parts);
        GuardedBuffer<float> sums(is_input_major(weights) ? problem.sums_bytes() / sizeof(float) : 0);
        std::fill(sums.begin(), sums.end(), std::numeric_limits<float>::quiet_NaN());
        problem.sums = sums.data();
        for (std::size_t part = is_input_major(weights) ? problem.parts : 0; part-- > 0;) {
            steps->sum_part(problem, part, dense_part_rows(weights, problem, part), {begin, end});
        }
        steps->compute(problem, {begin, end});
    }
};

/// Calls body for each kernel for the layer's weights that this CPU supports.
template <class Body>
void for_each_kernel_of(const DenseLayer& layer, const Body& body) {
    for_each_usable_kernel(dense_kernels(layer.weights_type), [&](const auto& kernel) {
        body(DenseKernel{kernel.name, kernel.run, layer.weights_type});
    });
}

/// An output of a dense layer in double, and the basis of its error bound.
struct DenseReference {
    double value;
    double magnitude;  ///< |bias| + Σ |x · w|
};

/// Sums over all inputs; weight(input) is the output's weight. Does not use the list of nonzero inputs.
template <class Weight>
DenseReference dense_reference(const Dense& problem, std::size_t image, std::size_t output,
                               const Weight& weight) {
    const double bias = problem.bias[output];
    DenseReference result = {bias, std::abs(bias)};
    for (std::size_t i = 0; i < problem.inputs; ++i) {
        const double product = double{problem.input[image * problem.inputs + i]} * double{weight(i)};
        result.value += product;
        result.magnitude += std::abs(product);
    }
    return result;
}

/// How many outputs differ from reference(problem, image, output) by more than `terms` · ε · magnitude.
template <class Reference>
std::size_t wrong_outputs(const Dense& problem, std::size_t terms, const Reference& reference) {
    const double epsilon = static_cast<double>(terms) * double{std::numeric_limits<float>::epsilon()};
    std::size_t wrong = 0;
    for (std::size_t image = 0; image < problem.batch; ++image) {
        for (std::size_t output = 0; output < problem.outputs; ++output) {
            const DenseReference expected = reference(problem, image, output);
            const double found = problem.output[image * problem.outputs + output];
            const bool near = std::abs(found - expected.value) <= epsilon * expected.magnitude;
            if (!near) ++wrong;  // written this way, NaN counts as wrong
        }
    }
    return wrong;
}

/// ‖found − expected‖ / ‖expected‖ over all outputs.
template <class Reference>
double relative_l2(const Dense& problem, const Reference& reference) {
    double error = 0;
    double norm = 0;
    for (std::size_t image = 0; image < problem.batch; ++image) {
        for (std::size_t output = 0; output < problem.outputs; ++output) {
            const double expected = reference(problem, image, output).value;
            error += std::pow(problem.output[image * problem.outputs + output] - expected, 2);
            norm += expected * expected;
        }
    }
    return std::sqrt(error / norm);
}

/// Σ of an INT8 layer's products for either order of weights; does not use the list of nonzero inputs.
inline std::int64_t int8_sum(const DenseLayer& layer, std::size_t image, std::size_t output) {
    const Dense& problem = layer.problem;
    const bool input_major = is_input_major(layer.weights_type);
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < problem.inputs; ++i) {
        const std::size_t place = input_major ? i * problem.outputs + output : output * problem.inputs + i;
        sum += std::int64_t{problem.int8_input[image * problem.inputs + i]} * problem.int8_weights[place];
    }
    return sum;
}

/// The exact bits of an INT8 layer's outputs.
inline std::vector<float> int8_outputs(const DenseLayer& layer) {
    const Dense& problem = layer.problem;
    std::vector<float> expected;
    for (std::size_t image = 0; image < problem.batch; ++image) {
        for (std::size_t output = 0; output < problem.outputs; ++output) {
            const auto sum = static_cast<float>(int8_sum(layer, image, output));
            const float scale = problem.input_scale[image] * problem.int8_scale[output];
            const volatile float product = sum * scale;  // volatile: rounded before it is added
            const float value = problem.bias[output] + product;
            expected.push_back(problem.relu ? std::max(value, 0.0F) : value);
        }
    }
    return expected;
}

/// Often an extreme of the range, so that extremes are combined with each other and with all other values.
inline std::int8_t random_int8_weight(Random& random) {
    constexpr std::int8_t corners[] = {-128, -127, 127};
    const int corner = random.integer(0, 2 * static_cast<int>(std::size(corners)) - 1);
    if (corner < static_cast<int>(std::size(corners))) return corners[corner];
    return static_cast<std::int8_t>(random.integer(-128, 127));
}

inline void fill_scales_and_bias(DenseLayer& layer, Random& random) {
    random.fill(layer.input_scale, 0.001F, 0.1F);
    random.fill(layer.int8_scale, 0.0001F, 0.01F);
    random.fill(layer.bias, -1.0F, 1.0F);
}

/// Runs a kernel on outputs [begin, end), checks that it wrote no others, and returns the bits of all.
inline std::vector<std::uint32_t> dense_bits(const DenseKernel& kernel, Dense problem, std::size_t begin,
                                             std::size_t end) {
    constexpr auto untouched = 0x7fc12345U;
    GuardedBuffer<float> output(problem.batch * problem.outputs);
    std::fill(output.begin(), output.end(), std::bit_cast<float>(untouched));
    problem.output = output.data();
    kernel.run(problem, begin, end);

    std::vector<std::uint32_t> bits(output.size());
    std::transform(output.begin(), output.end(), bits.begin(),
                   [](float value) { return std::bit_cast<std::uint32_t>(value); });
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < bits.size(); ++i) {
        const std::size_t position = i % problem.outputs;
        const bool in_range = begin <= position && position < end;
        if ((bits[i] != untouched) != in_range) ++wrong;
    }
    CHECK_MESSAGE(wrong == 0, "outputs that were written outside the range, or not inside it");
    return bits;
}

/// One image of the batch, with the batch's list of inputs.
inline Dense image_alone(const DenseLayer& layer, std::size_t image) {
    Dense problem = layer.problem;
    problem.batch = 1;
    if (is_int8(layer.weights_type)) {
        problem.int8_input += image * problem.inputs;
        problem.input_scale += image;
    } else {
        problem.input += image * problem.inputs;
    }
    return problem;
}

/// Checks that each image alone, and every split that the kernels allow, gives the same bits as the whole.
inline void check_ranges_and_batches(const DenseKernel& kernel, const DenseLayer& layer, Random& random) {
    const std::size_t outputs = layer.problem.outputs;
    const std::size_t granularity = dense_granularity(layer.weights_type);
    const std::vector<std::uint32_t> whole = dense_bits(kernel, layer.problem, 0, outputs);

    for (std::size_t image = 0; image < layer.problem.batch; ++image) {
        const auto alone = dense_bits(kernel, image_alone(layer, image), 0, outputs);
        const auto* expected = whole.data() + image * outputs;
        CHECK(std::equal(alone.begin(), alone.end(), expected));
    }

    for (std::size_t begin = 0; begin < outputs;) {
        const auto left = static_cast<int>((outputs - begin + granularity - 1) / granularity);
        const auto steps = static_cast<std::size_t>(random.integer(1, std::min(left, 9)));
        const std::size_t end = std::min(outputs, begin + steps * granularity);
        const auto part = dense_bits(kernel, layer.problem, begin, end);
        for (std::size_t image = 0; image < layer.problem.batch; ++image) {
            const auto row = static_cast<std::ptrdiff_t>(image * outputs);
            const auto first = row + static_cast<std::ptrdiff_t>(begin);
            const auto last = row + static_cast<std::ptrdiff_t>(end);
            CHECK(std::equal(part.begin() + first, part.begin() + last, whole.begin() + first));
        }
        begin = end;
    }
}

}  // namespace vgg19::kernels::testing
