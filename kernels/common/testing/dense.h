// For the tests of dense kernels of every type.
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
#include "kernels/common/testing/random.h"
#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels::testing {

/// Numbers of inputs and of outputs on both sides of every vector's and tile's length.
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

/// An output of a dense layer in double, and how much rounding may move it.
struct DenseReference {
    double value;
    double magnitude;  ///< |bias| + Σ |x · w|
};

/// Over all inputs, with weight(input) of the output's: it knows no list of inputs that are not zero.
template <class Problem, class Weight>
DenseReference dense_reference(const Problem& problem, std::size_t image, std::size_t output,
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

/// How many outputs are further than `terms` · ε · magnitude from reference(problem, image, output).
template <class Problem, class Reference>
std::size_t wrong_outputs(const Problem& problem, std::size_t terms, const Reference& reference) {
    const double epsilon = static_cast<double>(terms) * double{std::numeric_limits<float>::epsilon()};
    std::size_t wrong = 0;
    for (std::size_t image = 0; image < problem.batch; ++image) {
        for (std::size_t output = 0; output < problem.outputs; ++output) {
            const DenseReference expected = reference(problem, image, output);
            const double found = problem.output[image * problem.outputs + output];
            const bool near = std::abs(found - expected.value) <= epsilon * expected.magnitude;
            if (!near) ++wrong;  // this way round, a NaN is wrong
        }
    }
    return wrong;
}

/// Calls body(kernel) for each kernel that this CPU has.
template <class Kernels, class Body>
void for_each_usable_kernel(Kernels kernels, const Body& body) {
    for (const auto& kernel : kernels) {
        if (!cpu_supports(kernel.isa)) continue;
        CAPTURE(kernel.name);
        body(kernel);
    }
}

/// Runs a kernel on outputs [begin, end), checks that it wrote no others, and returns the bits of all.
template <class Function, class Problem>
std::vector<std::uint32_t> dense_bits(const Kernel<Function>& kernel, Problem problem, std::size_t begin,
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

template <class Problem>
Problem image_alone(Problem problem, std::size_t image) {
    problem.batch = 1;
    problem.input += image * problem.inputs;
    if constexpr (requires { problem.input_scale; }) problem.input_scale += image;
    return problem;
}

/// Checks that each image alone, and each part of a split anywhere, gives the bits that the whole gives.
template <class Function, class Problem>
void check_ranges_and_batches(const Kernel<Function>& kernel, const Problem& problem, Random& random) {
    const std::size_t outputs = problem.outputs;
    const std::vector<std::uint32_t> whole = dense_bits(kernel, problem, 0, outputs);

    for (std::size_t image = 0; image < problem.batch; ++image) {
        const auto alone = dense_bits(kernel, image_alone(problem, image), 0, outputs);
        const auto* expected = whole.data() + image * outputs;
        CHECK(std::equal(alone.begin(), alone.end(), expected));
    }

    for (std::size_t begin = 0; begin < outputs;) {
        const auto longest = static_cast<int>(outputs - begin);
        const std::size_t end = begin + static_cast<std::size_t>(random.integer(1, std::min(longest, 9)));
        const auto part = dense_bits(kernel, problem, begin, end);
        for (std::size_t image = 0; image < problem.batch; ++image) {
            const auto row = static_cast<std::ptrdiff_t>(image * outputs);
            const auto first = row + static_cast<std::ptrdiff_t>(begin);
            const auto last = row + static_cast<std::ptrdiff_t>(end);
            CHECK(std::equal(part.begin() + first, part.begin() + last, whole.begin() + first));
        }
        begin = end;
    }
}

}  // namespace vgg19::kernels::testing
