#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <vector>

#include "kernels/common/testing/random.h"
#include "kernels/dense/testing_layer.h"

namespace vgg19::kernels {

namespace {

using testing::Random;

struct Layer : testing::DenseLayer {
    Layer(std::size_t inputs, std::size_t outputs, std::size_t batch)
        : DenseLayer(DenseWeights::int8_input_major, inputs, outputs, batch) {}
};

/// Inputs are zero with probability `zeros`, and often the largest value; weights are often extreme values.
void fill(Layer& layer, Random& random, float zeros) {
    for (auto& value : layer.int8_input) {
        const int number = random.integer(1, 400);
        value = random.uniform(0.0F, 1.0F) < zeros ? std::uint8_t{0}
                                                   : static_cast<std::uint8_t>(std::min(number, 255));
    }
    for (auto& value : layer.int8_weights) value = testing::random_int8_weight(random);
    testing::fill_scales_and_bias(layer, random);
    layer.list_rows();
}

void check(Layer& layer) {
    for (const bool relu : {false, true}) {
        layer.problem.relu = relu;
        const std::vector<float> expected = testing::int8_outputs(layer);
        testing::for_each_kernel_of(layer, [&](const auto& kernel) {
            std::fill(layer.output.begin(), layer.output.end(), -7.0F);
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
        std::fill(layer.int8_input.begin(), layer.int8_input.end(), std::uint8_t{255});
        std::fill(layer.int8_weights.begin(), layer.int8_weights.end(), weight);
        std::fill(layer.input_scale.begin(), layer.input_scale.end(), 1.0F);
        std::fill(layer.int8_scale.begin(), layer.int8_scale.end(), 1.0F);
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
    const std::vector<float> expected = testing::int8_outputs(layer);
    testing::for_each_kernel_of(layer, [&](const auto& kernel) {
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
