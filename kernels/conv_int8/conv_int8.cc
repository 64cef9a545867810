// The selector, and the scalar kernel: the definition in loops.
#include "kernels/conv_int8/conv_int8.h"

#include <array>

#include "kernels/common/quantize.h"

namespace vgg19::kernels {

namespace {

constexpr std::size_t block = int8_channel_block;
constexpr std::size_t quad = ConvInt8::quad;

constexpr Kernel<ConvInt8Function> fastest_first[] = {
#define VGG19_KERNEL(name, isa) {#name, Isa::isa, name},
#include "kernels/conv_int8/kernels.inc"
#undef VGG19_KERNEL
};

/// A pixel of the map, before the pool.
struct Place {
    std::size_t image;
    std::size_t row;
    std::size_t column;
};

/// Adds what one pixel of the input, seen through one tap of the filter, gives to all channels of a group.
void add_pixel(const std::uint8_t* pixel, const std::int8_t* weights, std::size_t quads,
               std::size_t group_channels, std::int32_t* sums) {
    for (std::size_t q = 0; q < quads; ++q, pixel += quad) {
        for (std::size_t channel = 0; channel < group_channels; ++channel, weights += quad) {
            sums[channel] +=
                pixel[0] * weights[0] + pixel[1] * weights[1] + pixel[2] * weights[2] + pixel[3] * weights[3];
        }
    }
}

std::array<std::int32_t, block> accumulate(const ConvInt8& problem, std::size_t group, Place place) {
    std::array<std::int32_t, block> sums{};
    const std::size_t group_channels = problem.group_channels(group);
    const std::int8_t* weights = problem.weights + problem.packed_group(group);
    for (std::size_t b = 0; b < problem.input_blocks(); ++b) {
        const std::size_t quads = problem.quads_of_block(b);
        for (std::size_t tap = 0; tap < 9; ++tap, weights += quads * quad * group_channels) {
            // Unsigned: −1 is past the end too.
            const std::size_t row = place.row + tap / 3 - 1;
            const std::size_t column = place.column + tap % 3 - 1;
            if (row >= problem.height || column >= problem.width) continue;
            const std::uint8_t* pixel =
                problem.input + blocked_index(problem.input_channels, problem.height, problem.width, block,
                                              place.image, b * block, row, column);
            add_pixel(pixel, weights, quads, group_channels, sums.data());
        }
    }
    return sums;
}

/// The largest sums of the pixels that an output pixel is made from. Multipliers are positive and rounding
/// keeps the order, so they make the largest y.
std::array<std::int32_t, block> pooled_sums(const ConvInt8& problem, std::size_t group, Place place) {
    if (!problem.pool) return accumulate(problem, group, place);
    std::array<std::int32_t, block> largest{};
    for (std::size_t pixel = 0; pixel < 4; ++pixel) {
        const auto sums = accumulate(problem, group,
                                     {place.image, 2 * place.row + pixel / 2, 2 * place.column + pixel % 2});
        for (std::size_t lane = 0; lane < block; ++lane) {
            largest[lane] = pixel == 0 ? sums[lane] : std::max(largest[lane], sums[lane]);
        }
    }
    return largest;
}

/// Writes a channel of an output pixel, where the output has it.
void write(const ConvInt8& problem, Place place, std::size_t channel, float y) {
    const Int8ConvolutionOutput& output = problem.output;
    const auto index = [&](std::size_t channels_of_block) {
        return blocked_index(problem.output_channels, problem.output_height(), problem.output_width(),
                             channels_of_block, place.image, channel, place.row, place.column);
    };
    if (output.quantized != nullptr) {
        output.quantized[index(block)] = quantized(y);
    } else if (channel < blocks_of(problem.output_channels, output.float_block) * output.float_block) {
        output.floats[index(output.float_block)] = std::max(0.0F, y);
    }
}

}  // namespace

void conv_int8_scalar(const ConvInt8& problem, std::size_t group, std::size_t row_begin, std::size_t row_end,
                      std::int32_t* /*sums*/) {
    for (std::size_t row = row_begin; row < row_end; ++row) {
        for (std::size_t column = 0; column < problem.output_width(); ++column) {
            const Place place = {row / problem.output_height(), row % problem.output_height(), column};
            const auto sums = pooled_sums(problem, group, place);
            for (std::size_t lane = 0; lane < block; ++lane) {
                const std::size_t channel = group * block + lane;
                // Two roundings on every ISA: the build forbids fusing these (-ffp-contract=off in
                // cmake/box.cmake).
                const float product = static_cast<float>(sums[lane]) * problem.multiplier[channel];
                write(problem, place, channel, product + problem.bias[channel]);
            }
        }
    }
}

std::span<const Kernel<ConvInt8Function>> conv_int8_kernels() {
    return fastest_first;
}

}  // namespace vgg19::kernels
