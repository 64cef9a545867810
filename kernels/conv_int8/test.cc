#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <type_traits>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/kernels.h"
#include "kernels/common/testing/random.h"
#include "kernels/conv_int8/conv_int8.h"

namespace vgg19::kernels {

namespace {

using testing::GuardedBuffer;
using testing::Random;
using Sizes = std::initializer_list<std::size_t>;

constexpr std::uint8_t input_corners[] = {0, 127, 128, 255};
constexpr std::int8_t weight_corners[] = {-128, -127, 127};

struct Shape {
    std::size_t batch;
    std::size_t input_channels;
    std::size_t output_channels;
    std::size_t height;
    std::size_t width;
};

/// Every second value is an extreme one, so that extremes are combined with each other and with all other
/// values.
template <class Values, class Corners>
void fill_with_corners(Values& values, const Corners& corners, int lowest, int highest, Random& random) {
    const int count = static_cast<int>(std::size(corners));
    for (auto& value : values) {
        const int corner = random.integer(0, 2 * count - 1);
        value = corner < count
                    ? corners[corner]
                    : static_cast<std::remove_reference_t<decltype(value)>>(random.integer(lowest, highest));
    }
}

/// Data in plain layouts: [batch][channels][height][width] and PyTorch's weights.
struct Case {
    Shape shape;
    std::vector<std::uint8_t> input;
    std::vector<std::int8_t> weights;
    std::vector<float> multiplier;
    std::vector<float> bias;

    explicit Case(const Shape& wanted)
        : shape(wanted),
          input(shape.batch * shape.input_channels * shape.height * shape.width),
          weights(shape.output_channels * shape.input_channels * 9),
          multiplier(shape.output_channels, 1.0F),
          bias(shape.output_channels) {}

    Case(const Shape& wanted, Random& random) : Case(wanted) {
        fill_with_corners(input, input_corners, 0, 255, random);
        fill_with_corners(weights, weight_corners, -128, 127, random);
        // Chosen so that most y are in the 8-bit range, and some outside.
        const float spread = 128 * 74 * std::sqrt(9 * static_cast<float>(shape.input_channels));
        random.fill(multiplier, 50 / spread, 150 / spread);
        random.fill(bias, -20, 150);
    }

    std::int64_t accumulator(std::size_t image, std::size_t channel, std::size_t y, std::size_t x) const {
        std::int64_t sum = 0;
        for (std::size_t c = 0; c < shape.input_channels; ++c) {
            for (std::size_t tap = 0; tap < 9; ++tap) {
                const std::size_t row = y + tap / 3;     // in the padded map, which starts at 1
                const std::size_t column = x + tap % 3;  // likewise
                if (row < 1 || row > shape.height || column < 1 || column > shape.width) continue;
                const std::size_t map = (image * shape.input_channels + c) * shape.height;
                sum += std::int64_t{input[(map + row - 1) * shape.width + column - 1]} *
                       std::int64_t{weights[(channel * shape.input_channels + c) * 9 + tap]};
            }
        }
        return sum;
    }

    float value(std::size_t image, std::size_t channel, std::size_t y, std::size_t x) const {
        const auto sum = static_cast<float>(accumulator(image, channel, y, x));
        const volatile float product = sum * multiplier[channel];  // volatile: rounded before it is added
        return product + bias[channel];
    }

    /// y, or max(0, y) with ReLU, or the largest of four if the convolution pools:
    /// [batch][channels][height][width].
    std::vector<float> expected(bool pool, bool relu = true) const {
        const std::size_t side = pool ? 2 : 1;
        std::vector<float> result;
        for (std::size_t image = 0; image < shape.batch; ++image) {
            for (std::size_t channel = 0; channel < shape.output_channels; ++channel) {
                for (std::size_t y = 0; y + side <= shape.height; y += side) {
                    for (std::size_t x = 0; x + side <= shape.width; x += side) {
                        float largest = relu ? 0 : -std::numeric_limits<float>::infinity();
                        for (std::size_t pixel = 0; pixel < side * side; ++pixel) {
                            largest =
                                std::max(largest, value(image, channel, y + pixel / side, x + pixel % side));
                        }
                        result.push_back(largest);
                    }
                }
            }
        }
        return result;
    }
};

/// Runs a case with data in the kernels' layouts. Guard pages follow the input data, and a margin before the
/// output must not change.
struct Run {
    static constexpr std::size_t margin = 64;
    ConvInt8 problem;
    GuardedBuffer<std::uint8_t> input;
    GuardedBuffer<std::int8_t> weights;
    GuardedBuffer<float> multiplier;
    GuardedBuffer<float> bias;
    GuardedBuffer<std::uint8_t> quantized;
    GuardedBuffer<float> floats;

    /// The output is 8-bit if `float_block` is 0.
    Run(const Case& data, bool pool, std::size_t float_block, int threads = 1)
        : problem{.batch = data.shape.batch,
                  .input_channels = data.shape.input_channels,
                  .output_channels = data.shape.output_channels,
                  .height = data.shape.height,
                  .width = data.shape.width,
                  .pool = pool},
          input(blocked_size(problem.batch, problem.input_channels, problem.height, problem.width,
                             int8_channel_block)),
          weights(conv_int8_packed_size(problem)),
          multiplier(problem.padded_output_channels()),
          bias(problem.padded_output_channels()),
          quantized(float_block == 0 ? margin + output_size(int8_channel_block) : 0),
          floats(float_block == 0 ? 0 : margin + output_size(float_block)) {
        fill_blocked(data);
        conv_int8_pack(problem, threads, data.weights.data(), weights.data());
        std::fill(multiplier.begin(), multiplier.end(), 1.0F);
        std::copy(data.multiplier.begin(), data.multiplier.end(), multiplier.begin());
        std::copy(data.bias.begin(), data.bias.end(), bias.begin());
        std::fill(quantized.begin(), quantized.end(), std::uint8_t{0xa5});
        std::fill(floats.begin(), floats.end(), -7.0F);
        problem.input = input.data();
        problem.weights = weights.data();
        problem.multiplier = multiplier.data();
        problem.bias = bias.data();
        problem.output.quantized = float_block == 0 ? quantized.data() + margin : nullptr;
        problem.output.floats = float_block == 0 ? nullptr : floats.data() + margin;
        problem.output.float_block = float_block;
    }

    std::size_t output_size(std::size_t block) const {
        return blocked_size(problem.batch, problem.output_channels, problem.output_height(),
                            problem.output_width(), block);
    }

    void fill_blocked(const Case& data) {
        const std::size_t pixels = problem.height * problem.width;
        for (std::size_t index = 0; index < data.input.size(); ++index) {
            const std::size_t plane = index / pixels;
            input[blocked_index(problem.input_channels, problem.height, problem.width, int8_channel_block,
                                plane / problem.input_channels, plane % problem.input_channels, 0,
                                index % pixels)] = data.input[index];
        }
    }
    void run(const Kernel<ConvInt8Function>& kernel, int threads = 1) const {
        AlignedBuffer scratch(conv_int8_scratch_size(problem, threads));
        conv_int8_convolution(kernel, problem, threads, scratch.data());
    }

    /// Counts values that differ from `expected` (from Case), that are not zero in padding channels, or that
    /// were changed in the margin before the output.
    std::size_t wrong(const std::vector<float>& expected) const {
        const bool is_quantized = problem.output.quantized != nullptr;
        const std::size_t block = is_quantized ? int8_channel_block : problem.output.float_block;
        const std::size_t channels = blocks_of(problem.output_channels, block) * block;
        const std::size_t pixels = problem.output_height() * problem.output_width();
        std::size_t count = 0;
        for (std::size_t index = 0; index < problem.batch * channels * pixels; ++index) {
            const std::size_t image = index / pixels / channels;
            const std::size_t channel = index / pixels % channels;
            const bool exists = channel < problem.output_channels;
            const float value =
                exists ? expected[(image * problem.output_channels + channel) * pixels + index % pixels] : 0;
            const std::size_t place =
                margin + blocked_index(problem.output_channels, problem.output_height(),
                                       problem.output_width(), block, image, channel, 0, index % pixels);
            const bool same =
                is_quantized
                    ? quantized[place] ==
                          static_cast<std::uint8_t>(std::clamp(std::nearbyint(value), 0.0F, 255.0F))
                    : std::bit_cast<std::uint32_t>(floats[place]) == std::bit_cast<std::uint32_t>(value);
            if (!same) ++count;
        }
        for (std::size_t i = 0; i < margin; ++i) {
            if (is_quantized ? quantized[i] != 0xa5 : floats[i] != -7.0F) ++count;
        }
        return count;
    }
};

constexpr std::size_t float_blocks[] = {0, 8, 16};

void check_case(const Case& data) {
    CAPTURE(data.shape.batch);
    CAPTURE(data.shape.input_channels);
    CAPTURE(data.shape.output_channels);
    CAPTURE(data.shape.height);
    CAPTURE(data.shape.width);
    for (const bool pool : {false, true}) {
        if (pool && (data.shape.height < 2 || data.shape.width < 2)) continue;
        CAPTURE(pool);
        const std::vector<float> expected = data.expected(pool);
        testing::for_each_usable_kernel(conv_int8_kernels(), [&](const auto& kernel) {
            for (const std::size_t float_block : float_blocks) {
                CAPTURE(float_block);
                const Run run(data, pool, float_block);
                run.run(kernel);
                CHECK(run.wrong(expected) == 0);
            }
        });
    }
}

}  // namespace

TEST_CASE("INT8 convolutions equal the definition at all widths around the register tiles") {
    Random random;
    INFO(random.replay());
    for (const std::size_t width : Sizes{1, 2, 3, 4, 5, 7, 8, 13, 14, 15, 16, 27, 28, 29, 31, 43}) {
        for (const std::size_t height : Sizes{1, 2, 3, 4}) check_case({{1, 9, 33, height, width}, random});
    }
}

TEST_CASE("INT8 convolutions equal the definition for any count of channels and more than one image") {
    Random random;
    INFO(random.replay());
    for (const std::size_t input_channels : Sizes{1, 3, 4, 5, 31, 32, 33, 64, 77}) {
        for (const std::size_t output_channels : Sizes{1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 49, 65}) {
            check_case({{2, input_channels, output_channels, 3, 5}, random});
        }
    }
}

TEST_CASE("INT8 convolutions to floats equal the definition without ReLU, and 8-bit ones always have it") {
    Random random;
    INFO(random.replay());
    for (const std::size_t output_channels : Sizes{7, 16, 33}) {
        const Case data({2, 33, output_channels, 5, 7}, random);
        CAPTURE(output_channels);
        for (const bool pool : {false, true}) {
            CAPTURE(pool);
            for (const std::size_t float_block : float_blocks) {
                CAPTURE(float_block);
                const std::vector<float> expected = data.expected(pool, float_block == 0);
                testing::for_each_usable_kernel(conv_int8_kernels(), [&](const auto& kernel) {
                    Run run(data, pool, float_block);
                    run.problem.output.relu = false;
                    run.run(kernel);
                    CHECK(run.wrong(expected) == 0);
                });
            }
        }
    }
}

TEST_CASE("INT8 convolutions equal the definition for pruned widths") {
    Random random;
    INFO(random.replay());
    check_case({{1, 230, 461, 5, 3}, random});
}

TEST_CASE("INT8 convolutions accumulate exactly where all values are the same corner") {
    for (const std::uint8_t input : input_corners) {
        for (const std::int8_t weight : weight_corners) {
            for (const std::size_t channels : Sizes{1, 4, 37}) {  // 9 · 37 · 255 · 128 < 2^24: exact in float
                Case data({1, channels, 5, 3, 15});
                std::fill(data.input.begin(), data.input.end(), input);
                std::fill(data.weights.begin(), data.weights.end(), weight);
                // ReLU would remove negative results, so the bias lifts them.
                std::fill(data.bias.begin(), data.bias.end(), weight < 0 ? 16777215.0F : 0.0F);
                CAPTURE(static_cast<int>(input));
                CAPTURE(static_cast<int>(weight));
                check_case(data);
            }
        }
    }
}

TEST_CASE("INT8 convolutions hold the largest sums of the most input channels") {
    Case data({1, conv_int8_max_input_channels, 2, 3, 3});
    std::fill(data.input.begin(), data.input.end(), std::uint8_t{255});
    const auto second = data.weights.begin() + 9 * static_cast<std::ptrdiff_t>(conv_int8_max_input_channels);
    std::fill(data.weights.begin(), second, std::int8_t{-128});
    std::fill(second, data.weights.end(), std::int8_t{127});
    std::fill(data.bias.begin(), data.bias.end(), 2147483648.0F);
    CHECK(data.accumulator(0, 0, 1, 1) == -2147385600);
    check_case(data);
}

TEST_CASE("INT8 convolutions round to even, and clamp to 8 bits") {
    const float biases[] = {-3e38F, -1,  -0.5F,  -0.0F, 0.5F, 1.5F, 2.5F,  253.5F,
                            254.5F, 255, 255.5F, 256,   1e9F, 3e9F, 3e38F, 0.49999997F};
    Case data({1, 1, std::size(biases), 2, 2});
    std::copy(std::begin(biases), std::end(biases), data.bias.begin());
    check_case(data);
    const std::uint8_t expected[] = {0, 0, 0, 0, 0, 2, 2, 254, 254, 255, 255, 255, 255, 255, 255, 0};
    testing::for_each_usable_kernel(conv_int8_kernels(), [&](const auto& kernel) {
        const Run run(data, false, 0);
        run.run(kernel);
        CHECK(std::equal(std::begin(expected), std::end(expected), run.problem.output.quantized));
    });
}

TEST_CASE("INT8 convolutions round after the multiplication and after the addition") {
    Random random;
    INFO(random.replay());
    const Case data({1, 24, 40, 5, 6}, random);
    std::size_t fused_differs = 0;
    for (std::size_t channel = 0; channel < 40; ++channel) {
        const auto sum = static_cast<float>(data.accumulator(0, channel, 2, 3));
        if (data.value(0, channel, 2, 3) != std::fma(sum, data.multiplier[channel], data.bias[channel])) {
            ++fused_differs;
        }
    }
    CHECK_MESSAGE(fused_differs > 0, "these values cannot tell a fused multiply-add");
    check_case(data);
}

TEST_CASE("INT8 convolutions give the same bits for any thread count") {
    Random random;
    INFO(random.replay());
    const Case data({3, 40, 70, 9, 17}, random);
    for (const bool pool : {false, true}) {
        const std::vector<float> expected = data.expected(pool);
        testing::for_each_usable_kernel(conv_int8_kernels(), [&](const auto& kernel) {
            for (const int threads : {1, 2, 3, 7}) {
                CAPTURE(threads);
                const Run run(data, pool, 0, threads);
                run.run(kernel, threads);
                CHECK(run.wrong(expected) == 0);
            }
        });
    }
}

TEST_CASE("INT8 convolutions write the rows and the group that they are asked for, and no others") {
    Random random;
    INFO(random.replay());
    const Case data({2, 6, 45, 7, 9}, random);
    testing::for_each_usable_kernel(conv_int8_kernels(), [&](const auto& kernel) {
        for (const bool pool : {false, true}) {
            const Run whole(data, pool, 0);
            whole.run(kernel);
            const ConvInt8& problem = whole.problem;
            for (std::size_t row = 0; row < problem.output_rows(); ++row) {
                const Run part(data, pool, 0);
                alignas(64) std::array<std::int32_t, ConvInt8::sums_size> sums{};
                kernel.run(part.problem, 1, row, row + 1, sums.data());
                std::vector<std::uint8_t> expected(part.quantized.size(), 0xa5);
                const std::size_t begin =
                    Run::margin + blocked_index(45, problem.output_height(), problem.output_width(),
                                                int8_channel_block, row / problem.output_height(), 32,
                                                row % problem.output_height(), 0);
                std::copy_n(whole.quantized.begin() + begin, problem.output_width() * int8_channel_block,
                            expected.begin() + static_cast<std::ptrdiff_t>(begin));
                CHECK(std::equal(expected.begin(), expected.end(), part.quantized.begin()));
            }
        }
    });
}

}  // namespace vgg19::kernels
