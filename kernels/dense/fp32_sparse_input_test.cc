#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

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
        : DenseLayer(DenseWeights::fp32_input_major, inputs, outputs, batch) {}
};

/// Sets each input to zero with probability `zeros`, either in all images or only in this one.
void make_sparse(Layer& layer, Random& random, float zeros) {
    const Dense& problem = layer.problem;
    for (std::size_t i = 0; i < problem.inputs; ++i) {
        const bool all = random.uniform(0.0F, 1.0F) < zeros;
        for (std::size_t b = 0; b < problem.batch; ++b) {
            const bool one = random.uniform(0.0F, 1.0F) < zeros / 2;
            if (all || one || zeros == 1.0F) layer.input[b * problem.inputs + i] = one ? -0.0F : 0.0F;
        }
    }
    layer.list_rows();
}

void fill_uniform(Layer& layer, Random& random, float zeros) {
    random.fill(layer.input, -1.0F, 1.0F);
    random.fill(layer.fp32_weights, -1.0F, 1.0F);
    random.fill(layer.bias, -1.0F, 1.0F);
    make_sparse(layer, random, zeros);
}

void fill_integers(Layer& layer, Random& random, float zeros) {
    for (auto* buffer : {&layer.input, &layer.fp32_weights, &layer.bias}) {
        for (float& value : *buffer) value = static_cast<float>(random.integer(-8, 8));
    }
    make_sparse(layer, random, zeros);
}

DenseReference reference(const Dense& problem, std::size_t image, std::size_t output) {
    return dense_reference(problem, image, output,
                           [&](std::size_t i) { return problem.fp32_weights[i * problem.outputs + output]; });
}

/// Sizes just below and above every vector's length, batches for every tile, and some to all inputs zero.
template <class Body>
void for_each_case(const Body& body) {
    for (const std::size_t inputs : {1U, 2U, 7U, 8U, 9U, 33U, 255U, 256U, 257U, 530U}) {
        for (const std::size_t outputs : {1U, 7U, 8U, 9U, 15U, 16U, 17U, 24U, 31U, 33U, 64U, 125U}) {
            for (const std::size_t batch : {1U, 2U, 3U, 7U}) {
                for (const float zeros : {0.0F, 0.5F, 1.0F}) {
                    CAPTURE(inputs);
                    CAPTURE(outputs);
                    CAPTURE(batch);
                    CAPTURE(zeros);
                    body(inputs, outputs, batch, zeros);
                }
            }
        }
    }
}

}  // namespace

TEST_CASE("the list of inputs has each that is not zero in an image, once and in order") {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    constexpr float tiny = std::numeric_limits<float>::denorm_min();
    const std::vector<float> input = {0, 1, -0.0F, tiny, 0,  //
                                      0, 0, nan,   0,    -0.0F};
    testing::GuardedBuffer<std::uint32_t> rows(5);
    const auto list = [&](std::size_t batch, std::size_t image) {
        const std::size_t count = list_nonzero_inputs(input.data() + image * 5, batch, 5, rows.data());
        return std::vector<std::uint32_t>(rows.begin(), rows.begin() + count);
    };
    CHECK(list(1, 0) == std::vector<std::uint32_t>{1, 3});
    CHECK(list(1, 1) == std::vector<std::uint32_t>{2});
    CHECK(list(2, 0) == std::vector<std::uint32_t>{1, 2, 3});
}

TEST_CASE("dense sparse-input kernels are as near to sums in double as rounding allows") {
    testing::Golden golden("dense_sparse_input");
    Random random;
    INFO(random.replay());
    for_each_case([&](std::size_t inputs, std::size_t outputs, std::size_t batch, float zeros) {
        Layer layer(inputs, outputs, batch);
        fill_uniform(layer, random, zeros);
        testing::for_each_kernel_of(layer, [&](const auto& kernel) {
            kernel.run(layer.problem, 0, outputs);
            golden.add(kernel.name, layer.output);
            // As for kernels that read all weights: each of K products and K additions has an error of at
            // most ε/2 of a partial sum; twice that covers higher orders.
            CHECK(wrong_outputs(layer.problem, 2 * (inputs + 1), reference) == 0);
        });
    });
    golden.check();
}

TEST_CASE("dense sparse-input kernels are exact on small integers") {
    Random random;
    INFO(random.replay());
    const auto check = [&](std::size_t inputs, std::size_t outputs, std::size_t batch, float zeros) {
        Layer layer(inputs, outputs, batch);
        fill_integers(layer, random, zeros);
        testing::for_each_kernel_of(layer, [&](const auto& kernel) {
            kernel.run(layer.problem, 0, outputs);
            CHECK(wrong_outputs(layer.problem, 0, reference) == 0);
        });
    };
    for_each_case(check);
    check(25088, 9, 3, 0.5F);
    check(20, 4200, 2, 0.5F);  // more outputs than are summed at once
}

TEST_CASE("dense sparse-input kernels keep their accuracy over the 25,088 inputs of the first layer") {
    Random random;
    INFO(random.replay());
    for (const float zeros : {0.0F, 0.4F}) {
        CAPTURE(zeros);
        Layer layer(25088, 40, 1);
        fill_uniform(layer, random, zeros);
        testing::for_each_kernel_of(layer, [&](const auto& kernel) {
            kernel.run(layer.problem, 0, 40);
            CHECK(testing::relative_l2(layer.problem, reference) <= 1e-6);
        });
    }
}

TEST_CASE("dense sparse-input kernels give the same bits for any range and batch") {
    Random random;
    INFO(random.replay());
    for (const std::size_t inputs : {1U, 15U, 64U, 600U}) {
        for (const std::size_t outputs : {1U, 4U, 7U, 33U, 130U}) {
            for (const float zeros : {0.0F, 0.5F, 0.9F}) {
                Layer layer(inputs, outputs, testing::dense_largest_batch);
                fill_uniform(layer, random, zeros);
                CAPTURE(inputs);
                CAPTURE(outputs);
                CAPTURE(zeros);
                testing::for_each_kernel_of(layer, [&](const auto& kernel) {
                    testing::check_ranges_and_batches(kernel, layer, random);
                });
            }
        }
    }
}

TEST_CASE("an image's outputs do not depend on which inputs the others of its batch have") {
    Random random;
    INFO(random.replay());
    constexpr std::size_t inputs = 1000;
    constexpr std::size_t outputs = 37;
    Layer together(inputs, outputs, 3);
    fill_uniform(together, random, 0.7F);
    testing::for_each_kernel_of(together, [&](const auto& kernel) {
        const auto expected = testing::dense_bits(kernel, together.problem, 0, outputs);
        for (std::size_t image = 0; image < 3; ++image) {
            Layer alone(inputs, outputs, 1);
            std::copy_n(together.input.data() + image * inputs, inputs, alone.input.data());
            alone.problem.fp32_weights = together.fp32_weights.data();
            alone.problem.bias = together.bias.data();
            alone.list_rows();
            REQUIRE(alone.problem.input_row_count < together.problem.input_row_count);
            const auto found = testing::dense_bits(kernel, alone.problem, 0, outputs);
            CHECK(std::equal(found.begin(), found.end(), expected.data() + image * outputs));
        }
    });
}

TEST_CASE("rows that are zero in every image are not read") {
    Random random;
    INFO(random.replay());
    Layer layer(70, 20, 2);
    fill_uniform(layer, random, 0.5F);
    for (std::size_t i = 0; i < 70; ++i) {
        if (layer.input[i] != 0 || layer.input[70 + i] != 0) continue;
        std::fill_n(layer.fp32_weights.data() + i * 20, 20, std::numeric_limits<float>::quiet_NaN());
    }
    REQUIRE(layer.problem.input_row_count < 70);
    testing::for_each_kernel_of(layer, [&](const auto& kernel) {
        kernel.run(layer.problem, 0, 20);
        for (const float value : layer.output) CHECK(std::isfinite(value));
    });
}

TEST_CASE("dense sparse-input kernels apply ReLU only when asked, and keep a NaN") {
    Layer layer(17, 6, 3);
    std::fill(layer.input.begin(), layer.input.end(), 1.0F);
    for (std::size_t o = 0; o < 6; ++o) {
        layer.bias[o] = o % 2 == 0 ? 40.0F : -40.0F;
        for (std::size_t i = 0; i < 17; ++i) layer.fp32_weights[i * 6 + o] = static_cast<float>(o);
    }
    for (std::size_t b = 0; b < 3; ++b) layer.input[b * 17 + 5] = std::numeric_limits<float>::quiet_NaN();
    std::fill_n(layer.fp32_weights.data() + 5 * 6, 6, 0.0F);
    layer.list_rows();
    testing::for_each_kernel_of(layer, [&](const auto& kernel) {
        kernel.run(layer.problem, 0, 6);
        for (const float value : layer.output) CHECK(std::isnan(value));
    });

    for (std::size_t b = 0; b < 3; ++b) layer.input[b * 17 + 5] = 0;
    layer.list_rows();
    testing::for_each_kernel_of(layer, [&](const auto& kernel) {
        for (const bool relu : {false, true}) {
            CAPTURE(relu);
            layer.problem.relu = relu;
            kernel.run(layer.problem, 0, 6);
            for (std::size_t b = 0; b < 3; ++b) {
                const float* output = layer.output.data() + b * 6;
                CHECK(output[0] == 40.0F);
                CHECK(output[1] == (relu ? 0.0F : -24.0F));
                CHECK(output[2] == 72.0F);
                CHECK(output[3] == 8.0F);
                CHECK(output[5] == 40.0F);
            }
        }
    });
}

TEST_CASE("dense sparse-input kernels without inputs, or with none but zeros, give the bias") {
    for (const std::size_t inputs : {0U, 300U}) {
        CAPTURE(inputs);
        Layer layer(inputs, 5, 2);
        for (std::size_t o = 0; o < 5; ++o) layer.bias[o] = static_cast<float>(o);
        layer.list_rows();
        testing::for_each_kernel_of(layer, [&](const auto& kernel) {
            kernel.run(layer.problem, 0, 5);
            for (std::size_t i = 0; i < 10; ++i) CHECK(layer.output[i] == static_cast<float>(i % 5));
        });
    }
}

}  // namespace vgg19::kernels
