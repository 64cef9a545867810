#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/testing/distance.h"
#include "kernels/common/testing/golden.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/isas.h"
#include "kernels/common/testing/random.h"
#include "kernels/training/winograd_gradient/winograd_gradient.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;
using testing::relative_l2;

struct Shape {
    std::size_t batch;
    std::size_t input_channels;
    std::size_t output_channels;
    std::size_t height;
    std::size_t width;
};

/// Both activations, in the blocked layout.
struct Data {
    Winograd forward;
    GuardedBuffer<float> input;
    GuardedBuffer<float> output_gradient;

    Data(const Shape& shape, Isa isa, testing::Random& random)
        : forward{.batch = shape.batch,
                  .input_channels = shape.input_channels,
                  .output_channels = shape.output_channels,
                  .height = shape.height,
                  .width = shape.width,
                  .block = channel_block(isa)},
          input(size_of(shape.input_channels)),
          output_gradient(size_of(shape.output_channels)) {
        fill(input, shape.input_channels, random);
        fill(output_gradient, shape.output_channels, random);
        forward.input = input.data();
    }

    std::size_t size_of(std::size_t channels) const {
        return blocked_size(forward.batch, channels, forward.height, forward.width, forward.block);
    }
    std::size_t place(std::size_t channels, std::size_t image, std::size_t channel, std::size_t row,
                      std::size_t column) const {
        return blocked_index(channels, forward.height, forward.width, forward.block, image, channel, row,
                             column);
    }
    void fill(GuardedBuffer<float>& values, std::size_t channels, testing::Random& random) const {
        for (std::size_t image = 0; image < forward.batch; ++image) {
            for (std::size_t channel = 0; channel < channels; ++channel) {
                for (std::size_t row = 0; row < forward.height; ++row) {
                    for (std::size_t column = 0; column < forward.width; ++column) {
                        values[place(channels, image, channel, row, column)] = random.uniform(-1, 1);
                    }
                }
            }
        }
    }
};

struct Gradients {
    std::vector<float> weights;
    std::vector<float> bias;
};

Gradients run(const Data& data, WinogradTile tile, Isa isa, int threads) {
    WinogradGradient problem{.forward = data.forward, .output_gradient = data.output_gradient.data()};
    problem.forward.tile = tile;
    const std::size_t outputs = data.forward.output_channels;
    GuardedBuffer<float> weights(outputs * data.forward.input_channels * 9);
    GuardedBuffer<float> bias(outputs);
    std::fill(weights.begin(), weights.end(), 1.0F);  // initial values to add to
    std::fill(bias.begin(), bias.end(), 2.0F);
    problem.weights_gradient = weights.data();
    problem.bias_gradient = bias.data();
    AlignedBuffer scratch(winograd_gradient_scratch_size(problem) * sizeof(float));
    winograd_gradient(problem, isa, threads, scratch.as<float>());
    return {{weights.begin(), weights.end()}, {bias.begin(), bias.end()}};
}

/// The definition, with sums in double.
double expected_weight(const Data& data, std::size_t o, std::size_t i, std::size_t u, std::size_t v) {
    const Winograd& forward = data.forward;
    double sum = 1;
    for (std::size_t image = 0; image < forward.batch; ++image) {
        for (std::size_t y = 0; y < forward.height; ++y) {
            for (std::size_t x = 0; x < forward.width; ++x) {
                // Unsigned: −1 wraps to a value past the end.
                const std::size_t row = y + u - 1;
                const std::size_t column = x + v - 1;
                if (row >= forward.height || column >= forward.width) continue;
                sum += double{data.input[data.place(forward.input_channels, image, i, row, column)]} *
                       double{data.output_gradient[data.place(forward.output_channels, image, o, y, x)]};
            }
        }
    }
    return sum;
}

double expected_bias(const Data& data, std::size_t o) {
    const Winograd& forward = data.forward;
    double sum = 2;
    for (std::size_t image = 0; image < forward.batch; ++image) {
        for (std::size_t y = 0; y < forward.height; ++y) {
            for (std::size_t x = 0; x < forward.width; ++x) {
                sum += double{data.output_gradient[data.place(forward.output_channels, image, o, y, x)]};
            }
        }
    }
    return sum;
}

Gradients expected_gradients(const Data& data) {
    Gradients expected;
    for (std::size_t o = 0; o < data.forward.output_channels; ++o) {
        for (std::size_t i = 0; i < data.forward.input_channels; ++i) {
            for (std::size_t tap = 0; tap < 9; ++tap) {
                expected.weights.push_back(static_cast<float>(expected_weight(data, o, i, tap / 3, tap % 3)));
            }
        }
        expected.bias.push_back(static_cast<float>(expected_bias(data, o)));
    }
    return expected;
}

}  // namespace

TEST_CASE("winograd_gradient equals the definition for every tile, on maps and widths that straddle blocks") {
    testing::Golden golden("winograd_gradient");
    const Shape shapes[] = {{1, 1, 1, 1, 1},   {2, 3, 5, 2, 2},     {1, 8, 8, 4, 5},   {1, 17, 33, 7, 6},
                            {3, 16, 49, 5, 3}, {1, 40, 65, 14, 14}, {2, 7, 20, 40, 33}};
    for (const Isa isa : testing::isas_of_this_cpu()) {
        CAPTURE(std::string(isa_name(isa)));
        testing::Random random;  // the same numbers for each ISA, whatever their number
        INFO(random.replay());
        for (const Shape& shape : shapes) {
            CAPTURE(shape.input_channels);
            CAPTURE(shape.output_channels);
            CAPTURE(shape.height);
            const Data data(shape, isa, random);
            const Gradients expected = expected_gradients(data);
            for (const WinogradTile tile : winograd_gradient_tiles) {
                CAPTURE(int{tile.rows});
                const Gradients found = run(data, tile, isa, 2);
                golden.add(isa_name(isa), found.weights);
                golden.add(isa_name(isa), found.bias);
                // The forward algorithm's bound, since this is its transpose, plus the occasional error of a
                // gradient that is set to zero; 2e-5 for 5×5 and 6×6 in many random problems.
                const bool large = tile.rows >= 5;
                CHECK(relative_l2(found.weights, expected.weights) <= (large ? 5e-5 : 1e-5));
                CHECK(relative_l2(found.bias, expected.bias) <= 1e-6);
            }
        }
    }
    golden.check();
}

TEST_CASE("winograd_gradient gives the same bits for every number of threads") {
    testing::Random random;
    INFO(random.replay());
    for (const Isa isa : testing::isas_of_this_cpu()) {
        const Data data({2, 20, 70, 34, 36}, isa, random);
        const Gradients expected = run(data, WinogradTile{4, 4}, isa, 1);
        for (int threads = 2; threads <= 5; ++threads) {
            const Gradients found = run(data, WinogradTile{4, 4}, isa, threads);
            CHECK(std::memcmp(found.weights.data(), expected.weights.data(),
                              expected.weights.size() * sizeof(float)) == 0);
            CHECK(std::memcmp(found.bias.data(), expected.bias.data(),
                              expected.bias.size() * sizeof(float)) == 0);
        }
    }
}

}  // namespace vgg19::kernels
