#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/testing/golden.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/random.h"
#include "kernels/conv_direct/conv_direct.h"
#include "kernels/reference/conv_reference.h"
#include "kernels/winograd/error.h"
#include "kernels/winograd/matrices.h"
#include "kernels/winograd/schedule.h"

namespace vgg19::kernels {

namespace {

std::vector<Kernel<const WinogradSteps>> kernels_of_this_cpu() {
    std::vector<Kernel<const WinogradSteps>> kernels;
    for (const auto& kernel : winograd_kernels()) {
        if (cpu_supports(kernel.isa)) kernels.push_back(kernel);
    }
    return kernels;
}

struct Shape {
    std::size_t batch;
    std::size_t input_channels;
    std::size_t output_channels;
    std::size_t height;
    std::size_t width;
};

/// Random plain data of a convolution, and the reference's result.
struct Case {
    Shape shape;
    std::vector<float> input;
    std::vector<float> weights;
    std::vector<float> bias;
    std::vector<double> expected;   ///< plain, before any pool
    std::vector<double> magnitude;  ///< Σ|input · weights| + |bias| for each output

    Case(const Shape& wanted, testing::Random& random)
        : shape(wanted),
          input(shape.batch * shape.input_channels * shape.height * shape.width),
          weights(shape.output_channels * shape.input_channels * 9),
          bias(shape.output_channels),
          expected(shape.batch * shape.output_channels * shape.height * shape.width),
          magnitude(expected.size()) {
        random.fill(input, -1.0F, 1.0F);
        random.fill(weights, -1.0F, 1.0F);
        random.fill(bias, -0.5F, 0.5F);
        conv_reference({.batch = shape.batch,
                        .input_channels = shape.input_channels,
                        .output_channels = shape.output_channels,
                        .height = shape.height,
                        .width = shape.width,
                        .input = input.data(),
                        .weights = weights.data(),
                        .bias = bias.data()},
                       expected.data(), magnitude.data());
    }

    double expected_at(std::size_t image, std::size_t channel, std::size_t row, std::size_t column) const {
        return expected[((image * shape.output_channels + channel) * shape.height + row) * shape.width +
                        column];
    }
};

/// Runs a case with one kernel: packed data and memory.
struct Run {
    Winograd problem;
    AlignedBuffer input;
    AlignedBuffer weights;
    AlignedBuffer bias;
    AlignedBuffer output;

    Run(const Case& data, const Kernel<const WinogradSteps>& kernel, WinogradTile tile, bool pool) {
        const Shape& shape = data.shape;
        const std::size_t block = channel_block(kernel.isa);
        problem = {.tile = tile,
                   .batch = shape.batch,
                   .input_channels = shape.input_channels,
                   .output_channels = shape.output_channels,
                   .height = shape.height,
                   .width = shape.width,
                   .block = block,
                   .pool = pool};
        input =
            AlignedBuffer(blocked_size(shape.batch, shape.input_channels, shape.height, shape.width, block) *
                          sizeof(float));
        for (std::size_t image = 0; image < shape.batch; ++image) {
            for (std::size_t channel = 0; channel < shape.input_channels; ++channel) {
                const std::size_t pixels = shape.height * shape.width;
                for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
                    input.as<float>()[blocked_index(shape.input_channels, shape.height, shape.width, block,
                                                    image, channel, 0, pixel)] =
                        data.input[(image * shape.input_channels + channel) * pixels + pixel];
                }
            }
        }
        weights = AlignedBuffer(problem.packed_size() * sizeof(float));
        for (std::size_t group = 0; group < problem.groups(); ++group) {
            kernel.run->pack_weights(problem, group, data.weights.data(), weights.as<float>());
        }
        bias = AlignedBuffer(problem.output_blocks() * block * sizeof(float));
        std::copy(data.bias.begin(), data.bias.end(), bias.as<float>());
        const std::size_t shrink = pool ? 2 : 1;
        output = AlignedBuffer(blocked_size(shape.batch, shape.output_channels, shape.height / shrink,
                                            shape.width / shrink, block) *
                               sizeof(float));
        std::fill_n(output.as<float>(), output.size() / sizeof(float),
                    std::numeric_limits<float>::quiet_NaN());
        problem.input = input.as<float>();
        problem.weights = weights.as<float>();
        problem.bias = bias.as<float>();
        problem.output = output.as<float>();
    }

    /// Runs in ranges of `step` tiles.
    void run(const WinogradSteps& steps, std::size_t step) const {
        AlignedBuffer transformed(problem.transformed_size(step) * sizeof(float));
        AlignedBuffer products(problem.product_size({{0, step}, {0, 1}}) * sizeof(float));
        for (std::size_t begin = 0; begin < problem.tiles(); begin += step) {
            const TileRange tiles = {begin, std::min(begin + step, problem.tiles())};
            for (std::size_t block = 0; block < problem.input_blocks(); ++block) {
                steps.transform_input(problem, {tiles, {}}, tiles, {block, block + 1},
                                      transformed.as<float>());
            }
            for (std::size_t group = 0; group < problem.groups(); ++group) {
                const WinogradExtent extent = {tiles, {group, group + 1}};
                steps.multiply(problem, extent, {0, problem.positions()}, extent.groups,
                               transformed.as<float>(), products.as<float>());
                steps.transform_output(problem, extent, tiles, extent.groups, products.as<float>());
            }
        }
    }

    /// Runs with a schedule, in memory that ends at a guard page and is filled with NaNs.
    void run(const WinogradSteps& steps, const WinogradSchedule& schedule) const {
        testing::GuardedBuffer<float> scratch(winograd_scratch_size(problem, schedule));
        std::fill(scratch.begin(), scratch.end(), std::numeric_limits<float>::quiet_NaN());
        winograd_convolution(steps, problem, schedule, scratch.data());
    }

    std::span<const float> output_values() const {
        return {output.as<float>(), output.size() / sizeof(float)};
    }
    std::size_t height() const { return problem.pool ? problem.height / 2 : problem.height; }
    std::size_t width() const { return problem.pool ? problem.width / 2 : problem.width; }
    float at(std::size_t image, std::size_t channel, std::size_t row, std::size_t column) const {
        return output.as<float>()[blocked_index(problem.output_channels, height(), width(), problem.block,
                                                image, channel, row, column)];
    }

    /// The L2 norm of the difference from the reference.
    double error(const Case& data) const {
        double squared_error = 0;
        for (std::size_t image = 0; image < problem.batch; ++image) {
            for (std::size_t channel = 0; channel < problem.output_channels; ++channel) {
                for (std::size_t row = 0; row < height(); ++row) {
                    for (std::size_t column = 0; column < width(); ++column) {
                        double expected = data.expected_at(image, channel, problem.pool ? 2 * row : row,
                                                           problem.pool ? 2 * column : column);
                        for (std::size_t window = 1; problem.pool && window < 4; ++window) {
                            expected =
                                std::max(expected, data.expected_at(image, channel, 2 * row + window / 2,
                                                                    2 * column + window % 2));
                        }
                        squared_error += std::pow(at(image, channel, row, column) - expected, 2);
                    }
                }
            }
        }
        return std::sqrt(squared_error);
    }

    bool padding_is_zero() const {
        for (std::size_t image = 0; image < problem.batch; ++image) {
            for (std::size_t channel = problem.output_channels;
                 channel < problem.output_blocks() * problem.block; ++channel) {
                for (std::size_t pixel = 0; pixel < height() * width(); ++pixel) {
                    if (at(image, channel, 0, pixel) != 0) return false;
                }
            }
        }
        return true;
    }
};

double norm(const std::vector<double>& values) {
    double squares = 0;
    for (const double value : values) squares += value * value;
    return std::sqrt(squares);
}

std::string tile_name(WinogradTile tile) {
    return std::to_string(tile.rows) + "x" + std::to_string(tile.columns);
}

template <std::size_t m>
double largest_identity_error() {
    // Y = Aᵀ [(G g) ⊙ (Bᵀ d)] is linear in g and in d, so it is the convolution if it is correct for all
    // pairs of unit vectors.
    constexpr const auto& matrices = winograd_matrices<m>;
    constexpr std::size_t n = m + 2;
    double largest = 0;
    for (std::size_t tap = 0; tap < 3; ++tap) {
        for (std::size_t pixel = 0; pixel < n; ++pixel) {
            for (std::size_t k = 0; k < m; ++k) {
                double sum = 0;
                for (std::size_t i = 0; i < n; ++i)
                    sum += matrices.output[k][i] * matrices.filter[i][tap] * matrices.input[i][pixel];
                largest = std::max(largest, std::abs(sum - (pixel == k + tap ? 1.0 : 0.0)));
            }
        }
    }
    return largest;
}

}  // namespace

TEST_CASE("the Winograd matrices compute the convolution") {
    CHECK(largest_identity_error<2>() < 1e-15);
    CHECK(largest_identity_error<4>() < 1e-14);
    CHECK(largest_identity_error<5>() < 1e-14);
    CHECK(largest_identity_error<6>() < 1e-14);
    CHECK(largest_identity_error<7>() < 1e-13);
    CHECK(largest_identity_error<8>() < 1e-13);
}

TEST_CASE(
    "winograd agrees with direct convolution on every ISA, at sizes that straddle tiles and channel blocks") {
    testing::Golden golden("winograd");
    testing::Random random;
    INFO(random.replay());
    const Shape shapes[] = {
        {1, 1, 1, 1, 1},    {1, 3, 5, 2, 3},     {2, 7, 9, 4, 4},     {1, 8, 8, 5, 6},
        {1, 16, 16, 6, 7},  {3, 15, 17, 7, 5},   {1, 17, 33, 12, 9},  {1, 33, 48, 14, 14},
        {1, 32, 15, 13, 8}, {2, 24, 40, 28, 11}, {1, 61, 31, 10, 10}, {1, 63, 18, 9, 17},
        {1, 65, 33, 8, 15}, {1, 130, 20, 5, 16},
    };
    for (const Shape& shape : shapes) {
        const Case data(shape, random);
        for (const auto& kernel : kernels_of_this_cpu()) {
            for (const WinogradTile tile : winograd_tiles) {
                for (const bool pool : {false, true}) {
                    if (pool && (shape.height < 2 || shape.width < 2)) continue;
                    if (pool && !tile.keeps_pool_windows()) continue;
                    CAPTURE(std::string(kernel.name));
                    CAPTURE(tile_name(tile));
                    CAPTURE(pool);
                    CAPTURE(shape.input_channels);
                    CAPTURE(shape.output_channels);
                    CAPTURE(shape.height);
                    const Run run(data, kernel, tile, pool);
                    run.run(*kernel.run, run.problem.tiles());
                    golden.add(kernel.name, run.output_values());
                    // After ReLU a small map may be nearly zero, so errors are measured relative to the terms
                    // of the sums.
                    CHECK(run.error(data) <=
                          2 * winograd_error(tile, shape.input_channels) * norm(data.magnitude));
                    CHECK(run.padding_is_zero());
                }
            }
        }
    }
    golden.check();
}

TEST_CASE("winograd without ReLU gives what ReLU would be of") {
    testing::Random random;
    INFO(random.replay());
    const Case data({1, 17, 33, 12, 9}, random);
    for (const auto& kernel : kernels_of_this_cpu()) {
        for (const WinogradTile tile : winograd_tiles) {
            CAPTURE(std::string(kernel.name));
            CAPTURE(tile_name(tile));
            const Run relu(data, kernel, tile, false);
            Run plain(data, kernel, tile, false);
            plain.problem.relu = false;
            relu.run(*kernel.run, relu.problem.tiles());
            plain.run(*kernel.run, plain.problem.tiles());
            const float* found = plain.output.as<float>();
            const std::size_t size = plain.output.size() / sizeof(float);
            CHECK(*std::min_element(found, found + size) < 0);
            CHECK(std::equal(found, found + size, relu.output.as<float>(), [](float value, float rectified) {
                return std::max(value, 0.0F) == rectified;
            }));
        }
    }
}

TEST_CASE("winograd records which outputs are positive, and lets pass those whose bit is set") {
    testing::Random random;
    INFO(random.replay());
    const Case data({2, 17, 33, 12, 9}, random);
    for (const auto& kernel : kernels_of_this_cpu()) {
        for (const WinogradTile tile : winograd_tiles) {
            CAPTURE(std::string(kernel.name));
            CAPTURE(tile_name(tile));
            const Run relu(data, kernel, tile, false);
            Run other(data, kernel, tile, false);
            relu.run(*kernel.run, relu.problem.tiles());
            const std::span<const float> values = relu.output_values();
            testing::GuardedBuffer<std::uint8_t> positive(values.size() / 8);
            testing::GuardedBuffer<std::uint8_t> passes(values.size() / 8);
            for (auto& byte : passes) byte = static_cast<std::uint8_t>(random.integer(0, 255));
            other.problem.bits.positive = positive.data();
            other.run(*kernel.run, 5);
            CHECK(std::equal(values.begin(), values.end(), other.output_values().begin()));
            other.problem.bits = {.positive = nullptr, .passes = passes.data()};
            other.run(*kernel.run, other.problem.tiles());
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < values.size(); ++i) {
                const auto bit = [&](const auto& bits) { return ((bits[i / 8] >> (i % 8)) & 1) == 1; };
                if (bit(positive) != (values[i] > 0)) ++wrong;
                if (other.output_values()[i] != (bit(passes) ? values[i] : 0.0F)) ++wrong;
            }
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("winograd with transposed filters packs what the rotated and transposed filters would give") {
    testing::Random random;
    INFO(random.replay());
    const Case data({1, 17, 33, 3, 3}, random);
    std::vector<float> forward(data.weights.size());  // [input_channels][output_channels][3][3]
    for (std::size_t i = 0; i < data.weights.size(); ++i) {
        const std::size_t filter = i / 9;
        forward[(filter % 17 * 33 + filter / 17) * 9 + 8 - i % 9] = data.weights[i];
    }
    for (const auto& kernel : kernels_of_this_cpu()) {
        for (const WinogradTile tile : winograd_tiles) {
            CAPTURE(std::string(kernel.name));
            CAPTURE(tile_name(tile));
            const Run run(data, kernel, tile, false);
            Winograd transposed = run.problem;
            transposed.transposed = true;
            std::vector<float> packed(transposed.packed_size());
            winograd_pack(*kernel.run, transposed, 2, forward.data(), packed.data());
            CHECK(std::equal(packed.begin(), packed.end(), run.weights.as<float>()));
        }
    }
}

TEST_CASE("winograd gives the same bits however the tiles are cut into ranges") {
    testing::Random random;
    INFO(random.replay());
    const Case data({2, 19, 37, 18, 23}, random);
    for (const auto& kernel : kernels_of_this_cpu()) {
        for (const WinogradTile tile : winograd_tiles) {
            const bool pool = tile.keeps_pool_windows();
            const Run whole(data, kernel, tile, pool);
            whole.run(*kernel.run, whole.problem.tiles());
            for (const std::size_t step : std::array<std::size_t, 7>{1, 2, 5, 11, 12, 13, 25}) {
                const Run parts(data, kernel, tile, pool);
                parts.run(*kernel.run, std::min(step, parts.problem.tiles()));
                CHECK(std::memcmp(whole.output.data(), parts.output.data(), whole.output.size()) == 0);
            }
        }
    }
}

TEST_CASE("winograd gives the same bits for every schedule and number of threads") {
    testing::Random random;
    INFO(random.replay());
    const Case data({2, 70, 101, 14, 19}, random);
    for (const auto& kernel : kernels_of_this_cpu()) {
        for (const WinogradTile tile : winograd_tiles) {
            CAPTURE(std::string(kernel.name));
            CAPTURE(tile_name(tile));
            const Run whole(data, kernel, tile, false);
            whole.run(*kernel.run, whole.problem.tiles());
            const auto check = [&](const WinogradSchedule& schedule) {
                CAPTURE(static_cast<int>(schedule.split));
                CAPTURE(schedule.blocks);
                CAPTURE(schedule.channel_parts);
                CAPTURE(schedule.threads);
                const Run found(data, kernel, tile, false);
                found.run(*kernel.run, schedule);
                CHECK(std::memcmp(whole.output.data(), found.output.data(), whole.output.size()) == 0);
            };
            for (const int threads : {1, 2, 3, 64}) {
                for (const WinogradSplit split : {WinogradSplit::tiles, WinogradSplit::positions}) {
                    for (const std::size_t blocks : {1U, 2U, 5U}) check({split, blocks, threads});
                }
                for (const std::size_t parts : {2U, 3U, 5U})
                    check({WinogradSplit::tiles, 2, threads, 1, parts});
                check(winograd_schedule(whole.problem, this_machine(kernel.isa), threads));
            }
        }
    }
}

TEST_CASE("winograd's error stays within the figure computed from its matrices, and is not far below it") {
    testing::Random random;
    INFO(random.replay());
    for (const std::size_t channels : {64U, 65U, 130U, 512U}) {
        const Case data({1, channels, 16, 16, 16}, random);
        for (const auto& kernel : kernels_of_this_cpu()) {
            for (const WinogradTile tile : winograd_tiles) {
                CAPTURE(std::string(kernel.name));
                CAPTURE(tile_name(tile));
                CAPTURE(channels);
                const Run run(data, kernel, tile, false);
                run.run(*kernel.run, run.problem.tiles());
                const double error = run.error(data) / norm(data.expected);
                CHECK(error <= winograd_error(tile, channels));
                CHECK(error >= winograd_error(tile, channels) / 3);
            }
        }
    }
}

}  // namespace vgg19::kernels
