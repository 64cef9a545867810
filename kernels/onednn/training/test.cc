#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/blocked_layout.h"
#include "kernels/common/testing/random.h"
#include "kernels/onednn/training/conv_weights_gradient.h"
#include "kernels/onednn/training/matrix_product.h"

namespace vgg19::kernels {

namespace {

/// An activation in either layout.
struct Activation {
    const ConvWeightsGradientShape& shape;
    std::size_t channels;
    bool plain;
    AlignedBuffer buffer;

    Activation(const ConvWeightsGradientShape& of, std::size_t channel_count, bool is_plain,
               testing::Random& random)
        : shape(of),
          channels(channel_count),
          plain(is_plain),
          buffer(blocked_size(of.batch, channel_count, of.height, of.width, of.block) * sizeof(float)) {
        for (std::size_t image = 0; image < shape.batch; ++image) {
            for (std::size_t channel = 0; channel < channels; ++channel) {
                for (std::size_t pixel = 0; pixel < shape.height * shape.width; ++pixel) {
                    buffer.as<float>()[place(image, channel, pixel)] = random.uniform(-1, 1);
                }
            }
        }
    }

    std::size_t place(std::size_t image, std::size_t channel, std::size_t pixel) const {
        if (plain) return (image * channels + channel) * shape.height * shape.width + pixel;
        return blocked_index(channels, shape.height, shape.width, shape.block, image, channel, 0, pixel);
    }
    double at(std::size_t image, std::size_t channel, std::size_t row, std::size_t column) const {
        // Unsigned: −1 wraps to a value past the end.
        if (row >= shape.height || column >= shape.width) return 0;
        return double{buffer.as<float>()[place(image, channel, row * shape.width + column)]};
    }
};

void check_weights_gradient(const ConvWeightsGradientShape& shape, testing::Random& random) {
    const Activation input(shape, shape.input_channels, shape.plain_input, random);
    const Activation gradient(shape, shape.output_channels, false, random);
    std::vector<float> weights(shape.output_channels * shape.input_channels * 9,
                               1.0F);  // initial values to add to
    std::vector<float> bias(shape.output_channels, 2.0F);
    ConvWeightsGradient convolution(shape, 2);
    AlignedBuffer scratch(convolution.scratch_bytes());
    convolution.run(input.buffer.as<float>(), gradient.buffer.as<float>(), weights.data(), bias.data(),
                    scratch.data());
    double error = 0;
    double norm = 0;
    const auto compare = [&](float found, double expected) {
        error += std::pow(double{found} - expected, 2);
        norm += expected * expected;
    };
    for (std::size_t o = 0; o < shape.output_channels; ++o) {
        std::vector<double> taps(shape.input_channels * 9, 1.0);
        double bias_sum = 2;
        for (std::size_t image = 0; image < shape.batch; ++image) {
            for (std::size_t y = 0; y < shape.height; ++y) {
                for (std::size_t x = 0; x < shape.width; ++x) {
                    const double slope = gradient.at(image, o, y, x);
                    bias_sum += slope;
                    for (std::size_t i = 0; i < taps.size(); ++i) {
                        const std::size_t tap = i % 9;
                        taps[i] += slope * input.at(image, i / 9, y + tap / 3 - 1, x + tap % 3 - 1);
                    }
                }
            }
        }
        compare(bias[o], bias_sum);
        for (std::size_t i = 0; i < taps.size(); ++i) compare(weights[o * taps.size() + i], taps[i]);
    }
    // Sums of hundreds of products in FP32.
    CHECK(std::sqrt(error / norm) <= 2e-6);
}

std::vector<float> random_matrix(std::size_t size, testing::Random& random) {
    std::vector<float> values(size);
    random.fill(values, -1, 1);
    return values;
}

}  // namespace

TEST_CASE(
    "the gradient of a convolution's weights is added to what is there, of images and of blocked maps") {
    testing::Random random;
    INFO(random.replay());
    for (const std::size_t block : {8U, 16U}) {
        CAPTURE(block);
        const ConvWeightsGradientShape image{.batch = 5,
                                             .input_channels = 3,
                                             .output_channels = 21,
                                             .height = 9,
                                             .width = 12,
                                             .block = block,
                                             .plain_input = true};
        ConvWeightsGradientShape map = image;
        map.plain_input = false;
        map.input_channels = 18;
        check_weights_gradient(image, random);
        check_weights_gradient(map, random);
    }
}

TEST_CASE("a matrix product takes either operand as it is or transposed, and adds where it is told to") {
    testing::Random random;
    INFO(random.replay());
    // Also longer than a thread's part, by rows or by columns.
    for (const auto& [rows, columns, terms] :
         {std::array<std::size_t, 3>{5, 19, 33}, {531, 19, 7}, {5, 258, 9}, {300, 300, 2}}) {
        const std::vector<float> left = random_matrix(rows * terms, random);
        const std::vector<float> right = random_matrix(terms * columns, random);
        for (const int choice : {0, 1, 2, 3, 4, 5, 6, 7}) {
            CAPTURE(choice);
            const bool left_transposed = choice % 2 == 1;
            const bool right_transposed = choice / 2 % 2 == 1;
            const bool add = choice / 4 == 1;
            std::vector<float> result(rows * columns, 3.0F);
            matrix_product({.rows = rows,
                            .columns = columns,
                            .terms = terms,
                            .left = {left.data(), left_transposed},
                            .right = {right.data(), right_transposed},
                            .result = result.data(),
                            .add = add},
                           2);
            for (std::size_t m = 0; m < rows; ++m) {
                for (std::size_t n = 0; n < columns; ++n) {
                    double sum = add ? 3 : 0;
                    for (std::size_t k = 0; k < terms; ++k) {
                        sum += double{left[left_transposed ? k * rows + m : m * terms + k]} *
                               double{right[right_transposed ? n * terms + k : k * columns + n]};
                    }
                    REQUIRE(result[m * columns + n] == doctest::Approx(sum).epsilon(1e-5).scale(1));
                }
            }
        }
    }
}

}  // namespace vgg19::kernels
