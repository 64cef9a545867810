#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/common/float16.h"
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
        : DenseLayer(DenseWeights::int4_input_major, inputs, outputs, batch) {}

    std::uint16_t& scale(std::size_t row, std::size_t output_index) {
        return int4_scale[row * problem.int4_groups() + output_index / int4_group];
    }
};

/// Random weights, including padding, and inputs that are zero with probability `zeros`.
void fill(Layer& layer, Random& random, float zeros) {
    random.fill(layer.input, -1.0F, 1.0F);
    for (float& value : layer.input) {
        if (random.uniform(0.0F, 1.0F) < zeros) value = 0;
    }
    for (auto& byte : layer.int4_weights) byte = static_cast<std::uint8_t>(random.integer(0, 255));
    for (auto& half : layer.int4_scale) half = static_cast<std::uint16_t>(random.integer(0, 0x3C00));
    random.fill(layer.bias, -1.0F, 1.0F);
    layer.list_rows();
}

/// The same with numbers that have exact sums in FP32.
void fill_integers(Layer& layer, Random& random, float zeros) {
    fill(layer, random, zeros);
    for (float& value : layer.input) value = value == 0 ? 0.0F : static_cast<float>(random.integer(-8, 8));
    for (float& value : layer.bias) value = static_cast<float>(random.integer(-8, 8));
    constexpr std::uint16_t powers_of_two[] = {0x3800, 0x3C00, 0x4000};  // ½, 1, 2
    for (auto& half : layer.int4_scale) half = powers_of_two[random.integer(0, 2)];
    layer.list_rows();
}

/// Finds each weight by its position in the file's order.
DenseReference reference(const Dense& problem, std::size_t image, std::size_t output) {
    return dense_reference(problem, image, output, [&](std::size_t i) {
        const std::size_t group = i * ((problem.outputs + 31) / 32) + output / 32;
        const unsigned byte = problem.int4_weights[group * 16 + output % 16];
        const int weight = static_cast<int>(output % 32 < 16 ? byte % 16 : byte / 16) - 8;
        return double{float16_value(problem.int4_scale[group])} * weight;
    });
}

/// Sizes just below and above every vector's and group's length, and some to all inputs zero.
template <class Body>
void for_each_case(const Body& body) {
    for (const std::size_t inputs : {1U, 2U, 7U, 8U, 9U, 33U, 255U, 257U}) {
        for (const std::size_t outputs : {1U, 16U, 17U, 32U, 33U, 63U, 64U, 65U, 96U, 127U, 128U, 130U}) {
            for (const std::size_t batch : {1U, 2U, 5U}) {
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

TEST_CASE("dense INT4 kernels are as near to sums in double as rounding allows") {
    testing::Golden golden("dense_int4");
    Random random;
    INFO(random.replay());
    for_each_case([&](std::size_t inputs, std::size_t outputs, std::size_t batch, float zeros) {
        Layer layer(inputs, outputs, batch);
        fill(layer, random, zeros);
        testing::for_each_kernel_of(layer, [&](const auto& kernel) {
            kernel.run(layer.problem, 0, outputs);
            golden.add(kernel.name, layer.output);
            // The product of input and scale has an error of at most ε/2, and each of K additions that of a
            // partial sum; twice that covers higher orders.
            CHECK(wrong_outputs(layer.problem, inputs + 2, reference) == 0);
        });
    });
    golden.check();
}

TEST_CASE("dense INT4 kernels are exact on small integers, over more outputs than are summed at once too") {
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
    check(20, 4200, 2, 0.5F);
}

TEST_CASE("dense INT4 kernels keep their accuracy over the 25,088 inputs of the first layer") {
    Random random;
    INFO(random.replay());
    Layer layer(25088, 40, 1);
    fill(layer, random, 0.4F);
    testing::for_each_kernel_of(layer, [&](const auto& kernel) {
        kernel.run(layer.problem, 0, 40);
        CHECK(testing::relative_l2(layer.problem, reference) <= 1e-6);
    });
}

TEST_CASE("dense INT4 kernels give the same bits for any range and batch") {
    Random random;
    INFO(random.replay());
    const std::size_t granularity = dense_granularity(DenseWeights::int4_input_major);
    for (const std::size_t outputs : {100U, 128U, 300U}) {
        for (const float zeros : {0.0F, 0.6F}) {
            CAPTURE(outputs);
            CAPTURE(zeros);
            Layer layer(600, outputs, testing::dense_largest_batch);
            fill(layer, random, zeros);
            testing::for_each_kernel_of(layer, [&](const auto& kernel) {
                const auto whole = testing::dense_bits(kernel, layer.problem, 0, outputs);
                for (std::size_t image = 0; image < layer.problem.batch; ++image) {
                    Dense alone = testing::image_alone(layer, image);
                    std::vector<std::uint32_t> rows(alone.inputs);
                    alone.input_rows = rows.data();
                    alone.input_row_count = list_nonzero_inputs(alone.input, 1, alone.inputs, rows.data());
                    const auto found = testing::dense_bits(kernel, alone, 0, outputs);
                    CHECK(std::equal(found.begin(), found.end(), whole.data() + image * outputs));
                }
                for (std::size_t begin = 0; begin < outputs; begin += granularity) {
                    const std::size_t end = std::min(begin + granularity, outputs);
                    const auto part = testing::dense_bits(kernel, layer.problem, begin, end);
                    for (std::size_t row = 0; row < part.size(); row += outputs) {
                        CHECK(std::equal(part.data() + row + begin, part.data() + row + end,
                                         whole.data() + row + begin));
                    }
                }
            });
        }
    }
}

TEST_CASE("dense INT4 kernels do not read the scales of inputs that are zero, nor let the padding's matter") {
    Random random;
    INFO(random.replay());
    constexpr std::uint16_t nan = 0x7E00;
    Layer layer(70, 40, 2);
    fill(layer, random, 0.5F);
    const auto outputs_of = [&](const auto& kernel) {
        return testing::dense_bits(kernel, layer.problem, 0, 40);
    };
    testing::for_each_kernel_of(layer, [&](const auto& kernel) {
        for (std::size_t i = 0; i < 70; ++i) {
            if (layer.input[i] == 0 && layer.input[70 + i] == 0) layer.scale(i, 0) = layer.scale(i, 32) = 0;
        }
        const auto expected = outputs_of(kernel);
        for (std::size_t i = 0; i < 70; ++i) {
            if (layer.input[i] == 0 && layer.input[70 + i] == 0) layer.scale(i, 0) = layer.scale(i, 32) = nan;
            layer.int4_weights[i * 32 + 31] ^= 0xFFU;  // outputs 47 and 63
        }
        CHECK(outputs_of(kernel) == expected);
    });
}

TEST_CASE("dense INT4 kernels apply ReLU only when asked, and keep a NaN") {
    Layer layer(17, 6, 3);
    std::fill(layer.input.begin(), layer.input.end(), 1.0F);
    std::fill(layer.int4_weights.begin(), layer.int4_weights.end(), std::uint8_t{0xBB});  // 3
    std::fill(layer.int4_scale.begin(), layer.int4_scale.end(), std::uint16_t{0x3C00});
    for (std::size_t o = 0; o < 6; ++o) layer.bias[o] = o % 2 == 0 ? 40.0F : -60.0F;
    layer.list_rows();
    testing::for_each_kernel_of(layer, [&](const auto& kernel) {
        for (const bool relu : {false, true}) {
            CAPTURE(relu);
            layer.problem.relu = relu;
            kernel.run(layer.problem, 0, 6);
            for (std::size_t i = 0; i < 18; ++i) {
                CHECK(layer.output[i] == (i % 2 == 0 ? 91.0F : relu ? 0.0F : -9.0F));
            }
        }
    });

    for (std::size_t b = 0; b < 3; ++b) layer.input[b * 17 + 5] = std::numeric_limits<float>::quiet_NaN();
    testing::for_each_kernel_of(layer, [&](const auto& kernel) {
        kernel.run(layer.problem, 0, 6);
        for (const float value : layer.output) CHECK(std::isnan(value));
    });
}

TEST_CASE("dense INT4 kernels without inputs, or with none but zeros, give the bias") {
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

TEST_CASE(
    "every half has the value that its bits say, and is the nearest to itself and to what is around it") {
    for (std::uint32_t bits = 0; bits < 0x7C00; ++bits) {
        const auto half = static_cast<std::uint16_t>(bits);
        const std::uint32_t exponent = bits >> 10U;
        const double mantissa = bits & 0x3FFU;
        const double expected = exponent == 0 ? std::ldexp(mantissa, -24)
                                              : std::ldexp(1024 + mantissa, static_cast<int>(exponent) - 25);
        const float value = float16_value(half);
        REQUIRE(double{value} == expected);
        REQUIRE(double{float16_value(static_cast<std::uint16_t>(bits | 0x8000U))} == -expected);
        REQUIRE(nearest_float16(value) == half);
        const float next = bits == 0x7BFF ? 65536.0F : float16_value(static_cast<std::uint16_t>(bits + 1));
        const float middle = value + (next - value) / 2;
        REQUIRE(nearest_float16(middle) == bits + bits % 2);
        REQUIRE(nearest_float16(std::nextafter(middle, 0.0F)) == bits);
        REQUIRE(nearest_float16(std::nextafter(middle, next)) == bits + 1);
    }
    constexpr float infinity = std::numeric_limits<float>::infinity();
    CHECK(float16_value(0x7C00) == infinity);
    CHECK(float16_value(0xFC00) == -infinity);
    CHECK(std::isnan(float16_value(0x7E01)));
    CHECK(nearest_float16(infinity) == 0x7C00);
    CHECK(std::isnan(float16_value(nearest_float16(std::numeric_limits<float>::quiet_NaN()))));
}

}  // namespace vgg19::kernels
