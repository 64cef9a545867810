#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/common/testing/golden.h"
#include "kernels/common/testing/random.h"
#include "kernels/dense/testing_layer.h"

namespace vgg19::kernels {

namespace {

using testing::dense_reference;
using testing::DenseReference;
using testing::Random;
using testing::wrong_outputs;

struct Layer : testing::DenseLayer {
    Layer(std::size_t inputs, std::size_t outputs, std::size_t batch)
        : DenseLayer(DenseWeights::fp32_output_major, inputs, outputs, batch) {}
};

void fill_uniform(Layer& layer, Random& random) {
    random.fill(layer.input, -1.0F, 1.0F);
    random.fill(layer.fp32_weights, -1.0F, 1.0F);
    random.fill(layer.bias, -1.0F, 1.0F);
}

void fill_integers(Layer& layer, Random& random) {
    for (auto* buffer : {&layer.input, &layer.fp32_weights, &layer.bias}) {
        for (float& value : *buffer) value = static_cast<float>(random.integer(-8, 8));
    }
}

DenseReference reference(const Dense& problem, std::size_t image, std::size_t output) {
    return dense_reference(problem, image, output,
                           [&](std::size_t i) { return problem.fp32_weights[output * problem.inputs + i]; });
}

}  // namespace

TEST_CASE("dense FP32 kernels are as near to sums in double as rounding allows") {
    testing::Golden golden("dense_fp32");
    Random random;
    INFO(random.replay());
    testing::for_each_dense_size([&](std::size_t inputs, std::size_t outputs, std::size_t batch) {
        Layer layer(inputs, outputs, batch);
        fill_uniform(layer, random);
        CAPTURE(inputs);
        CAPTURE(outputs);
        CAPTURE(batch);
        testing::for_each_kernel_of(layer, [&](const auto& kernel) {
            kernel.run(layer.problem, 0, outputs);
            golden.add(kernel.name, layer.output);
            // Each of K products and K additions, in any order, has an error of at most ε/2 of a partial sum,
            // and no partial sum exceeds the sum of magnitudes: K · ε of it to first order. Twice that covers
            // higher orders. The bias is one more term.
            CHECK(wrong_outputs(layer.problem, 2 * (inputs + 1), reference) == 0);
        });
    });
    golden.check();
}

TEST_CASE("dense FP32 kernels are exact on small integers") {
    Random random;
    INFO(random.replay());
    const auto check = [&](std::size_t inputs, std::size_t outputs, std::size_t batch) {
        Layer layer(inputs, outputs, batch);
        fill_integers(layer, random);
        CAPTURE(inputs);
        CAPTURE(outputs);
        CAPTURE(batch);
        testing::for_each_kernel_of(layer, [&](const auto& kernel) {
            kernel.run(layer.problem, 0, outputs);
            CHECK(wrong_outputs(layer.problem, 0, reference) == 0);
        });
    };
    testing::for_each_dense_size(check);
    check(25088, 9, 3);
    check(22589, 5, 2);  // the size after pruning
}

TEST_CASE("dense FP32 kernels give the same bits for any range and batch") {
    Random random;
    INFO(random.replay());
    for (const std::size_t inputs : {1U, 15U, 64U, 129U, 1021U}) {
        for (const std::size_t outputs : {1U, 4U, 7U, 33U}) {
            Layer layer(inputs, outputs, testing::dense_largest_batch);
            fill_uniform(layer, random);
            CAPTURE(inputs);
            CAPTURE(outputs);
            testing::for_each_kernel_of(
                layer, [&](const auto& kernel) { testing::check_ranges_and_batches(kernel, layer, random); });
        }
    }
}

TEST_CASE("dense FP32 kernels apply ReLU only when asked, and keep a NaN") {
    Layer layer(17, 6, 3);
    std::fill(layer.input.begin(), layer.input.end(), 1.0F);
    for (std::size_t o = 0; o < 6; ++o) {
        layer.bias[o] = o % 2 == 0 ? 40.0F : -40.0F;
        std::fill_n(layer.fp32_weights.data() + o * 17, 17, static_cast<float>(o));
    }
    layer.fp32_weights[5 * 17 + 16] = std::numeric_limits<float>::quiet_NaN();
    testing::for_each_kernel_of(layer, [&](const auto& kernel) {
        for (const bool relu : {false, true}) {
            CAPTURE(relu);
            layer.problem.relu = relu;
            kernel.run(layer.problem, 0, 6);
            for (std::size_t b = 0; b < 3; ++b) {
                const float* output = layer.output.data() + b * 6;
                CHECK(output[0] == 40.0F);
                CHECK(output[1] == (relu ? 0.0F : -23.0F));
                CHECK(output[2] == 74.0F);
                CHECK(output[3] == 11.0F);
                CHECK(output[4] == 108.0F);
                CHECK(std::isnan(output[5]));
            }
        }
    });
}

TEST_CASE("dense FP32 kernels without inputs give the bias") {
    Layer layer(0, 5, 2);
    for (std::size_t o = 0; o < 5; ++o) layer.bias[o] = static_cast<float>(o);
    testing::for_each_kernel_of(layer, [&](const auto& kernel) {
        kernel.run(layer.problem, 0, 5);
        for (std::size_t i = 0; i < 10; ++i) CHECK(layer.output[i] == static_cast<float>(i % 5));
    });
}

}  // namespace vgg19::kernels
