// The walk over windows and channels, for every kernel of this family.
#pragma once

#include "kernels/average_pool/average_pool.h"
#include "kernels/common/blocked_layout.h"

namespace vgg19::kernels {

/// The inputs [begin, end) that output `index` is the mean of, along one axis.
struct PoolWindow {
    std::size_t begin;
    std::size_t end;
};
static inline PoolWindow pool_window(std::size_t index, std::size_t input_size, std::size_t output_size) {
    return {index * input_size / output_size, ((index + 1) * input_size + output_size - 1) / output_size};
}

/// Pools up to Lanes::count channels, which stand side by side in each pixel of `map`; output channels are
/// output_height · output_width apart. A Lanes object is a sum that starts at zero: `add` what it points to,
/// `divide`, `store`.
template <class Lanes>
static void pool_lanes(const AveragePool& problem, const float* map, std::size_t channels, float* output) {
    const std::size_t output_plane = problem.output_height * problem.output_width;
    for (std::size_t y = 0; y < problem.output_height; ++y) {
        const PoolWindow rows = pool_window(y, problem.height, problem.output_height);
        for (std::size_t x = 0; x < problem.output_width; ++x) {
            const PoolWindow columns = pool_window(x, problem.width, problem.output_width);
            Lanes mean;
            for (std::size_t row = rows.begin; row < rows.end; ++row) {
                const float* pixels = map + row * problem.width * problem.block;
                for (std::size_t column = columns.begin; column < columns.end; ++column) {
                    mean.add(pixels + column * problem.block);
                }
            }
            mean.divide(static_cast<float>((rows.end - rows.begin) * (columns.end - columns.begin)));
            float values[Lanes::count];
            mean.store(values);
            float* pixel = output + y * problem.output_width + x;
            for (std::size_t channel = 0; channel < channels; ++channel) {
                pixel[channel * output_plane] = values[channel];
            }
        }
    }
}

template <class Lanes>
static void pool_blocks(const AveragePool& problem, std::size_t begin, std::size_t end) {
    const std::size_t blocks = blocks_of(problem.channels, problem.block);
    const std::size_t block_size = problem.height * problem.width * problem.block;
    const std::size_t output_plane = problem.output_height * problem.output_width;
    for (std::size_t index = begin; index < end; ++index) {
        const std::size_t image = index / blocks;
        const std::size_t first_channel = index % blocks * problem.block;
        for (std::size_t lane = 0; lane < problem.block; lane += Lanes::count) {
            const std::size_t channel = first_channel + lane;
            if (channel >= problem.channels) break;
            const std::size_t left = problem.channels - channel;
            pool_lanes<Lanes>(problem, problem.input + index * block_size + lane,
                              left < Lanes::count ? left : Lanes::count,
                              problem.output + (image * problem.channels + channel) * output_plane);
        }
    }
}

}  // namespace vgg19::kernels
