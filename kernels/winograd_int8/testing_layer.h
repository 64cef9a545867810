// For tests: an INT8 Winograd convolution with its data.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/common/testing/guarded_buffer.h"
#include "kernels/common/testing/random.h"
#include "kernels/reference/winograd_int8.h"
#include "kernels/winograd_int8/schedule.h"

namespace vgg19::kernels {
namespace {

/// The kind of output: 8-bit, or floats in blocks.
enum class Target : unsigned char { quantized, floats_of_8, floats_of_16 };

struct Shape {
    std::size_t batch = 0;
    std::size_t input_channels = 0;
    std::size_t output_channels = 0;
    std::size_t height = 0;
    std::size_t width = 0;
    bool pool = false;
    WinogradInt8Tile tile = WinogradInt8Tile::f2x2;
};

/// A convolution with its data, in buffers that end at guard pages.
struct Layer {
    WinogradInt8 problem;
    testing::GuardedBuffer<std::uint8_t> input;
    std::vector<std::int8_t> plain_weights;
    testing::GuardedBuffer<float> weight_scale;
    testing::GuardedBuffer<float> filter_scale;
    testing::GuardedBuffer<float> multiplier;
    testing::GuardedBuffer<float> bias;
    /// The size is a multiple of 64, so the start is aligned.
    testing::GuardedBuffer<std::int8_t> weights;

    explicit Layer(const Shape& shape)
        : problem{.tile = shape.tile,
                  .batch = shape.batch,
                  .input_channels = shape.input_channels,
                  .output_channels = shape.output_channels,
                  .height = shape.height,
                  .width = shape.width,
                  .pool = shape.pool},
          input(
              blocked_size(shape.batch, shape.input_channels, shape.height, shape.width, int8_channel_block)),
          plain_weights(shape.output_channels * shape.input_channels * 9),
          weight_scale(shape.output_channels),
          filter_scale(problem.positions() * problem.padded_output_channels()),
          multiplier(filter_scale.size()),
          bias(problem.padded_output_channels()),
          weights(problem.packed_size()) {
        std::fill(weight_scale.begin(), weight_scale.end(), 1.0F);
        problem.input = input.data();
        // The transformed inputs' whole range.
        problem.input_multiplier.fill(shape.tile == WinogradInt8Tile::f2x2 ? 128 : 2048);
        problem.weights = weights.data();
        problem.multiplier = multiplier.data();
        problem.bias = bias.data();
    }

    /// Random data, with 8-bit outputs that are spread over their range.
    Layer(const Shape& shape, testing::Random& random) : Layer(shape) {
        fill(random);
        pack(1);
        scale_output(1.5F * std::sqrt(static_cast<float>(shape.input_channels)));
        for (std::size_t o = 0; o < shape.output_channels; ++o) bias[o] = random.uniform(-40.0F, 80.0F);
    }

    std::size_t height() const { return problem.pool ? problem.height / 2 : problem.height; }
    std::size_t width() const { return problem.pool ? problem.width / 2 : problem.width; }

    std::uint8_t& pixel(std::size_t image, std::size_t channel, std::size_t row, std::size_t column) {
        return input[blocked_index(problem.input_channels, problem.height, problem.width, int8_channel_block,
                                   image, channel, row, column)];
    }

    /// Calls body(image, channel, row, column) for each input.
    template <class Body>
    void for_each_pixel(const Body& body) const {
        for (std::size_t image = 0; image < problem.batch; ++image) {
            for (std::size_t channel = 0; channel < problem.input_channels; ++channel) {
                for (std::size_t i = 0; i < problem.height * problem.width; ++i) {
                    body(image, channel, i / problem.width, i % problem.width);
                }
            }
        }
    }

    void fill(testing::Random& random) {
        for_each_pixel([&](std::size_t image, std::size_t channel, std::size_t row, std::size_t column) {
            pixel(image, channel, row, column) = static_cast<std::uint8_t>(random.integer(0, 255));
        });
        for (auto& weight : plain_weights) weight = static_cast<std::int8_t>(random.integer(-127, 127));
        const int whole_range = problem.input_multiplier.front();
        for (auto& factor : problem.input_multiplier) {
            factor = static_cast<std::int16_t>(random.integer(whole_range / 3, whole_range * 3));
        }
        random.fill(weight_scale, 0.001F, 0.01F);
    }

    void pack(int threads) {
        winograd_int8_pack(problem, threads, plain_weights.data(), weight_scale.data(), weights.data(),
                           filter_scale.data());
    }

    /// Sets the output's quantization step to `output_scale` input steps.
    void scale_output(float output_scale) {
        for (std::size_t i = 0; i < multiplier.size(); ++i) {
            const auto factor =
                static_cast<float>(problem.input_multiplier[i / problem.padded_output_channels()]);
            multiplier[i] =
                winograd_int8_multiplier_one(problem.tile) / factor * filter_scale[i] / output_scale;
        }
    }

    /// Runs the whole convolution and returns the results as floats, in their layout.
    std::vector<float> run(const WinogradInt8Steps& steps, const WinogradSchedule& schedule,
                           Target target) const {
        const std::size_t block = target == Target::quantized     ? int8_channel_block
                                  : target == Target::floats_of_8 ? 8
                                                                  : 16;
        const std::size_t size =
            blocked_size(problem.batch, problem.output_channels, height(), width(), block);
        testing::GuardedBuffer<std::uint8_t> bytes(target == Target::quantized ? size : 0);
        testing::GuardedBuffer<float> floats(target == Target::quantized ? 0 : size);
        std::fill(bytes.begin(), bytes.end(), std::uint8_t{77});
        std::fill(floats.begin(), floats.end(), -77.0F);
        WinogradInt8 wanted = problem;
        if (target == Target::quantized) {
            wanted.output.quantized = bytes.data();
        } else {
            wanted.output.floats = floats.data();
            wanted.output.float_block = block;
        }
        // Aligned, like the weights.
        testing::GuardedBuffer<std::byte> scratch(winograd_int8_scratch_size(wanted, schedule));
        winograd_int8_convolution(steps, wanted, schedule, scratch.data());
        if (target != Target::quantized) return {floats.begin(), floats.end()};
        return {bytes.begin(), bytes.end()};
    }

    std::vector<float> expected(Target target) const {
        return run(winograd_int8_reference, {WinogradSplit::tiles, 1, 1}, target);
    }
};

}  // namespace
}  // namespace vgg19::kernels
