// The walk over the maps, for every kernel of this family.
#pragma once

#include "kernels/quantize_blocked/quantize_blocked.h"

namespace vgg19::kernels {

/// Eight channels of a row of the input.
struct EightChannels {
    const float* values;
    std::size_t stride;  ///< floats from one pixel to the next; 0 where all are the same zeros
};

static inline EightChannels eight_channels(const QuantizeBlocked& problem, std::size_t image,
                                           std::size_t channel, std::size_t row) {
    static constexpr float zeros[8] = {};
    if (channel >= problem.input_blocks() * problem.block) return {zeros, 0};
    return {problem.input + blocked_index(problem.channels, problem.height, problem.width, problem.block,
                                          image, channel, row, 0),
            problem.block};
}

/// Sixteen channels at a time: Lanes(inverse_scale).store(lower, upper, output) quantises eight floats and
/// eight more.
template <class Lanes>
static void quantize_rows(const QuantizeBlocked& problem, std::size_t begin, std::size_t end) {
    constexpr std::size_t half = int8_channel_block / 2;
    const Lanes lanes(problem.inverse_scale);
    for (std::size_t index = begin; index < end; ++index) {
        const std::size_t block = index / problem.height % problem.output_blocks();
        const std::size_t image = index / problem.height / problem.output_blocks();
        const std::size_t row = index % problem.height;
        std::uint8_t* output = problem.output + index * problem.width * int8_channel_block;
        for (std::size_t part = 0; part < int8_channel_block; part += half) {
            const std::size_t channel = block * int8_channel_block + part;
            const EightChannels lower = eight_channels(problem, image, channel, row);
            const EightChannels upper = eight_channels(problem, image, channel + half / 2, row);
            for (std::size_t pixel = 0; pixel < problem.width; ++pixel) {
                lanes.store(lower.values + pixel * lower.stride, upper.values + pixel * upper.stride,
                            output + pixel * int8_channel_block + part);
            }
        }
    }
}

}  // namespace vgg19::kernels
