#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/testing/golden.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/random.h"
#include "kernels/conv_direct/conv_direct.h"
#include "kernels/quantize_blocked/quantize_blocked.h"
#include "kernels/reference/conv_reference.h"
#include "kernels/winograd_image/winograd_image.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;
using Sizes = std::initializer_list<std::size_t>;

struct Shape {
    std::size_t batch;
    std::size_t input_channels;
    std::size_t output_channels;
    std::size_t height;
    std::size_t width;
};

/// Random plain data of a convolution, and the reference's result. The input ends at a guard page, which
/// detects reads past it.
struct Case {
    Shape shape;
    GuardedBuffer<float> input;
    std::vector<float> weights;
    std::vector<float> bias;
    std::vector<double> expected;   ///< plain
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
};

/// Margins around a run's output, to detect overruns.
constexpr std::size_t margin = 64;
constexpr float untouched = -7;

/// Runs a case with one kernel: packed data and memory.
struct Run {
    WinogradImage problem;
    std::vector<float> weights;
    std::vector<float> bias;
    GuardedBuffer<float> output;  ///< between a margin and a guard page

    Run(const Case& data, Isa isa)
        : problem{.batch = data.shape.batch,
                  .input_channels = data.shape.input_channels,
                  .output_channels = data.shape.output_channels,
                  .height = data.shape.height,
                  .width = data.shape.width,
                  .block = channel_block(isa)},
          weights(problem.packed_size()),
          bias(problem.output_blocks() * problem.block),
          output(margin + blocked_size(data.shape.batch, data.shape.output_channels, data.shape.height,
                                       data.shape.width, problem.block)) {
        winograd_image_pack(problem, data.weights.data(), weights.data());
        std::copy(data.bias.begin(), data.bias.end(), bias.begin());
        std::fill(output.begin(), output.end(), std::numeric_limits<float>::quiet_NaN());
        std::fill_n(output.begin(), margin, untouched);
        problem.input = data.input.data();
        problem.weights = weights.data();
        problem.bias = bias.data();
        problem.output = output.data() + margin;
    }

    /// Computes rows [begin, end), with scratch memory of the exact size, filled with garbage.
    void run_rows(WinogradImageFunction& kernel, std::size_t begin, std::size_t end) const {
        // A multiple of a cache line before the guard page, so that the start is aligned.
        constexpr std::size_t line = 64 / sizeof(float);
        GuardedBuffer<float> scratch(blocks_of(problem.scratch_size(), line) * line);
        std::fill(scratch.begin(), scratch.end(), std::numeric_limits<float>::quiet_NaN());
        kernel(problem, begin, end, scratch.data());
    }

    /// Runs in ranges of `step` rows.
    void run(WinogradImageFunction& kernel, std::size_t step) const {
        for (std::size_t begin = 0; begin < problem.rows(); begin += step) {
            run_rows(kernel, begin, std::min(begin + step, problem.rows()));
        }
    }

    float at(std::size_t image, std::size_t channel, std::size_t pixel) const {
        return problem.output[blocked_index(problem.output_channels, problem.height, problem.width,
                                            problem.block, image, channel, 0, pixel)];
    }

    /// The L2 norm of the difference from the reference.
    double error(const Case& data) const {
        const std::size_t pixels = problem.height * problem.width;
        double squares = 0;
        for (std::size_t index = 0; index < data.expected.size(); ++index) {
            const std::size_t plane = index / pixels;
            const float value =
                at(plane / problem.output_channels, plane % problem.output_channels, index % pixels);
            squares += std::pow(double{value} - data.expected[index], 2);
        }
        return std::sqrt(squares);
    }

    bool padding_is_zero() const {
        const std::size_t padded = problem.output_blocks() * problem.block;
        for (std::size_t image = 0; image < problem.batch; ++image) {
            for (std::size_t channel = problem.output_channels; channel < padded; ++channel) {
                for (std::size_t pixel = 0; pixel < problem.height * problem.width; ++pixel) {
                    if (at(image, channel, pixel) != 0) return false;
                }
            }
        }
        return true;
    }

    bool margin_is_untouched() const {
        return std::all_of(output.begin(), output.begin() + margin,
                           [](float value) { return value == untouched; });
    }
};

double norm(const std::vector<double>& values) {
    double squares = 0;
    for (const double value : values) squares += value * value;
    return std::sqrt(squares);
}

void check_case(const Case& data, testing::Golden* golden = nullptr) {
    CAPTURE(data.shape.batch);
    CAPTURE(data.shape.input_channels);
    CAPTURE(data.shape.output_channels);
    CAPTURE(data.shape.height);
    CAPTURE(data.shape.width);
    for (const auto& kernel : winograd_image_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        CAPTURE(std::string(kernel.name));
        const Run run(data, kernel.isa);
        run.run(*kernel.run, run.problem.rows());
        // After ReLU a small map may be nearly zero, so errors are measured relative to the terms of the
        // sums.
        CHECK(run.error(data) <= 2e-6 * norm(data.magnitude));
        CHECK(run.padding_is_zero());
        CHECK(run.margin_is_untouched());
        if (golden != nullptr) golden->add(kernel.name, run.output);
    }
}

/// Compares the kernel's 8-bit output, computed in ranges of `step` rows, with quantize_blocked of its FP32
/// output.
void check_quantized(const Case& data, const Kernel<WinogradImageFunction>& kernel, std::size_t step) {
    Run run(data, kernel.isa);
    run.run(*kernel.run, run.problem.rows());
    const WinogradImage& problem = run.problem;
    std::vector<std::uint8_t> expected(blocked_size(problem.batch, problem.output_channels, problem.height,
                                                    problem.width, int8_channel_block));
    QuantizeBlocked quantize = {.batch = problem.batch,
                                .channels = problem.output_channels,
                                .height = problem.height,
                                .width = problem.width,
                                .block = problem.block,
                                .input = problem.output,
                                .inverse_scale = 57.3F,
                                .output = expected.data()};
    portable::quantize_blocked(quantize, 0, quantize.rows());

    constexpr std::uint8_t untouched_byte = 0xa5;
    GuardedBuffer<std::uint8_t> found(margin + expected.size());
    std::fill(found.begin(), found.end(), untouched_byte);
    run.problem.output = nullptr;
    run.problem.quantized_output = found.data() + margin;
    run.problem.output_inverse_scale = quantize.inverse_scale;
    run.run(*kernel.run, step);
    CHECK(std::equal(expected.begin(), expected.end(), found.begin() + margin));
    CHECK(std::all_of(found.begin(), found.begin() + margin,
                      [](std::uint8_t value) { return value == untouched_byte; }));
}

}  // namespace

TEST_CASE("winograd_image agrees with direct convolution on every ISA, at all widths of small images") {
    testing::Golden golden("winograd_image");
    testing::Random random;
    INFO(random.replay());
    for (std::size_t width = 1; width <= 9; ++width) {
        for (const std::size_t height : Sizes{1, 2, 3, 5}) {
            check_case({{2, 3, 17, height, width}, random}, &golden);
        }
    }
    // Around the widths of tile vectors: 8 and 16 tiles of 4 pixels.
    for (const std::size_t width : Sizes{31, 32, 33, 63, 64, 65, 66, 127, 131}) {
        check_case({{1, 3, 16, 4, width}, random}, &golden);
    }
    golden.check();
}

TEST_CASE("winograd_image agrees with direct convolution for any count of channels") {
    testing::Random random;
    INFO(random.replay());
    for (const std::size_t input_channels : Sizes{1, 3, 4, 7}) {
        for (const std::size_t output_channels : Sizes{1, 5, 16, 17, 48, 64, 65}) {
            check_case({{2, input_channels, output_channels, 6, 11}, random});
        }
    }
}

TEST_CASE("winograd_image without ReLU gives what ReLU would be of") {
    testing::Random random;
    INFO(random.replay());
    const Case data({2, 3, 37, 9, 23}, random);
    for (const auto& kernel : winograd_image_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        CAPTURE(std::string(kernel.name));
        const Run relu(data, kernel.isa);
        Run plain(data, kernel.isa);
        plain.problem.relu = false;
        relu.run(*kernel.run, relu.problem.rows());
        plain.run(*kernel.run, plain.problem.rows());
        CHECK(*std::min_element(plain.output.begin() + margin, plain.output.end()) < -1);
        CHECK(plain.padding_is_zero());
        CHECK(std::equal(plain.output.begin() + margin, plain.output.end(), relu.output.begin() + margin,
                         [](float value, float rectified) { return std::max(value, 0.0F) == rectified; }));
    }
}

TEST_CASE("winograd_image records which outputs are positive, and lets pass those whose bit is set") {
    testing::Random random;
    INFO(random.replay());
    const Case data({2, 3, 37, 9, 23}, random);
    for (const auto& kernel : winograd_image_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        CAPTURE(std::string(kernel.name));
        const Run relu(data, kernel.isa);
        Run other(data, kernel.isa);
        relu.run(*kernel.run, relu.problem.rows());
        const std::size_t size = relu.output.size() - margin;
        GuardedBuffer<std::uint8_t> positive(size / 8);
        GuardedBuffer<std::uint8_t> passes(size / 8);
        for (auto& byte : passes) byte = static_cast<std::uint8_t>(random.integer(0, 255));
        other.problem.bits = {.positive = positive.data(), .passes = passes.data()};
        other.run(*kernel.run, 4);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < size; ++i) {
            const auto bit = [&](const auto& bits) { return ((bits[i / 8] >> (i % 8)) & 1) == 1; };
            const float value = relu.problem.output[i];
            if (bit(positive) != (value > 0)) ++wrong;
            if (other.problem.output[i] != (bit(passes) ? value : 0.0F)) ++wrong;
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("winograd_image gives the same bits however the rows are cut into ranges") {
    testing::Random random;
    INFO(random.replay());
    const Case data({2, 3, 37, 9, 23}, random);
    for (const auto& kernel : winograd_image_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        CAPTURE(std::string(kernel.name));
        const Run whole(data, kernel.isa);
        whole.run(*kernel.run, whole.problem.rows());
        for (std::size_t step = 1; step < whole.problem.rows(); ++step) {
            CAPTURE(step);
            const Run parts(data, kernel.isa);
            parts.run(*kernel.run, step);
            CHECK(std::memcmp(whole.output.data(), parts.output.data(),
                              whole.output.size() * sizeof(float)) == 0);
        }
    }
}

TEST_CASE("winograd_image's 8-bit output is its FP32 output quantised, bit for bit") {
    testing::Random random;
    INFO(random.replay());
    for (const std::size_t output_channels : Sizes{1, 8, 9, 16, 17, 24, 25, 32, 33, 48, 64, 65}) {
        for (const std::size_t width : Sizes{1, 3, 4, 7, 33, 66}) {
            const Case data({2, 3, output_channels, 3, width}, random);
            CAPTURE(output_channels);
            CAPTURE(width);
            for (const auto& kernel : winograd_image_kernels()) {
                if (!cpu_supports(kernel.isa)) continue;
                CAPTURE(std::string(kernel.name));
                for (const std::size_t step : Sizes{1, 4, 6}) check_quantized(data, kernel, step);
            }
        }
    }
}

}  // namespace vgg19::kernels
