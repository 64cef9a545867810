#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <vector>

#include "kernels/common/testing/dense.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/random.h"
#include "kernels/dense_int8/dense_int8.h"
#include "kernels/dense_int8_sparse_input/dense_int8_sparse_input.h"
#include "kernels/reference/dense_int8.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;
using testing::Random;

/// A problem whose buffers end at guard pages.
struct Layer {
    Layer(std::size_t inputs, std::size_t outputs, std::size_t batch)
        : input(batch * inputs),
          input_scale(batch),
          weights(inputs * outputs),
          weight_scale(outputs),
          bias(outputs),
          output(batch * outputs),
          rows(inputs) {
        problem.batch = batch;
        problem.inputs = inputs;
        problem.outputs = outputs;
        problem.input = input.data();
        problem.input_scale = input_scale.data();
        problem.weights = weights.data();
        problem.weight_scale = weight_scale.data();
        problem.bias = bias.data();
        problem.output = output.data();
        problem.rows = rows.data();
        sums.resize(batch * problem.padded_outputs());
        problem.sums = sums.data();
    }

    void list_rows() {
        problem.row_count = list_nonzero_inputs(problem.input, problem.batch, problem.inputs, rows.data());
    }

    GuardedBuffer<std::uint8_t> input;
    GuardedBuffer<float> input_scale;
    GuardedBuffer<std::int8_t> weights;
    GuardedBuffer<float> weight_scale;
    GuardedBuffer<float> bias;
    GuardedBuffer<float> output;
    GuardedBuffer<std::uint32_t> rows;
    std::vector<std::int32_t> sums;
    DenseInt8SparseInput problem;
};

/// Inputs are zero with probability `zeros`, and often the largest; weights are often corners.
void fill(Layer& layer, Random& random, float zeros) {
    constexpr std::int8_t corners[] = {-128, -127, 127};
    for (auto& value : layer.input) {
        const int number = random.integer(1, 400);
        value = random.uniform(0.0F, 1.0F) < zeros ? std::uint8_t{0}
                                                   : static_cast<std::uint8_t>(std::min(number, 255));
    }
    for (auto& value : layer.weights) {
        const int corner = random.integer(0, 2 * static_cast<int>(std::size(corners)) - 1);
        value = corner < static_cast<int>(std::size(corners))
                    ? corners[corner]
                    : static_cast<std::int8_t>(random.integer(-128, 127));
    }
    random.fill(layer.input_scale, 0.001F, 0.1F);
    random.fill(layer.weight_scale, 0.0001F, 0.01F);
    random.fill(layer.bias, -1.0F, 1.0F);
    layer.list_rows();
}

/// What kernels/dense_int8 makes of the same weights, output by output. It knows no list.
std::vector<float> expected_outputs(const DenseInt8SparseInput& problem) {
    std::vector<std::int8_t> weights(problem.inputs * problem.outputs);
    for (std::size_t i = 0; i < problem.inputs; ++i) {
        for (std::size_t o = 0; o < problem.outputs; ++o) {
            weights[o * problem.inputs + i] = problem.weights[i * problem.outputs + o];
        }
    }
    std::vector<float> output(problem.batch * problem.outputs);
    const DenseInt8 dense = {.batch = problem.batch,
                             .inputs = problem.inputs,
                             .outputs = problem.outputs,
                             .input = problem.input,
                             .input_scale = problem.input_scale,
                             .weights = weights.data(),
                             .weight_scale = problem.weight_scale,
                             .bias = problem.bias,
                             .output = output.data(),
                             .relu = problem.relu};
    dense_int8_reference(dense, 0, problem.outputs);
    return output;
}

void check(Layer& layer) {
    for (const bool relu : {false, true}) {
        layer.problem.relu = relu;
        const std::vector<float> expected = expected_outputs(layer.problem);
        testing::for_each_usable_kernel(dense_int8_sparse_input_kernels(), [&](const auto& kernel) {
            std::fill(layer.output.begin(), layer.output.end(), -7.0F);
            std::fill(layer.sums.begin(), layer.sums.end(), 12345);
            kernel.run(layer.problem, 0, layer.problem.outputs);
            CHECK(std::equal(expected.begin(), expected.end(), layer.output.begin()));
        });
    }
}

}  // namespace

TEST_CASE("dense INT8 sparse-input kernels give the bits of dense INT8, which reads all weights") {
    Random random;
    INFO(random.replay());
    for (const std::size_t inputs : {1U, 2U, 3U, 4U, 5U, 17U, 130U}) {
        for (const std::size_t outputs : {1U, 15U, 16U, 17U, 63U, 64U, 65U, 130U}) {
            for (const std::size_t batch : {1U, 2U, 5U}) {
                for (const float zeros : {0.0F, 0.5F, 1.0F}) {
                    CAPTURE(inputs);
                    CAPTURE(outputs);
                    CAPTURE(batch);
                    CAPTURE(zeros);
                    Layer layer(inputs, outputs, batch);
                    fill(layer, random, zeros);
                    check(layer);
                }
            }
        }
    }
}

TEST_CASE("dense INT8 sparse-input sums are exact where they are largest, and over more than a strip") {
    for (const std::int8_t weight : {std::int8_t{-128}, std::int8_t{127}}) {
        Layer layer(dense_int8_max_inputs, 3, 1);
        std::fill(layer.input.begin(), layer.input.end(), std::uint8_t{255});
        std::fill(layer.weights.begin(), layer.weights.end(), weight);
        std::fill(layer.input_scale.begin(), layer.input_scale.end(), 1.0F);
        std::fill(layer.weight_scale.begin(), layer.weight_scale.end(), 1.0F);
        layer.list_rows();
        check(layer);
    }
    Random random;
    INFO(random.replay());
    Layer wide(40, 4200, 2);
    fill(wide, random, 0.5F);
    check(wide);
}

TEST_CASE("dense INT8 sparse-input kernels compute any range that starts at a multiple of the granularity") {
    Random random;
    INFO(random.replay());
    Layer layer(50, 200, 3);
    fill(layer, random, 0.5F);
    const std::vector<float> expected = expected_outputs(layer.problem);
    testing::for_each_usable_kernel(dense_int8_sparse_input_kernels(), [&](const auto& kernel) {
        for (std::size_t begin = 0; begin < 200; begin += 64) {
            const std::size_t end = std::min<std::size_t>(begin + 64, 200);
            std::fill(layer.output.begin(), layer.output.end(), -7.0F);
            kernel.run(layer.problem, begin, end);
            for (std::size_t i = 0; i < layer.output.size(); ++i) {
                const bool inside = begin <= i % 200 && i % 200 < end;
                CHECK(layer.output[i] == (inside ? expected[i] : -7.0F));
            }
        }
    });
}

TEST_CASE("the list of INT8 inputs has each that is not zero in an image, once and in order") {
    const std::vector<std::uint8_t> input = {0, 1, 0, 255, 0,  //
                                             0, 0, 9, 0,   0};
    std::vector<std::uint32_t> rows(5);
    CHECK(list_nonzero_inputs(input.data(), 1, 5, rows.data()) == 2);
    CHECK((rows[0] == 1 && rows[1] == 3));
    CHECK(list_nonzero_inputs(input.data(), 2, 5, rows.data()) == 3);
    CHECK((rows[0] == 1 && rows[1] == 2 && rows[2] == 3));
}

}  // namespace vgg19::kernels
