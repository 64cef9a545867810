#include "kernels/conv_direct/conv_direct.h"

#include <algorithm>
#include <cmath>

#include "kernels/common/blocked_layout.h"

namespace vgg19::kernels {

namespace {

constexpr Kernel<ConvDirectFunction> kernels[] = {
#define VGG19_KERNEL(name, isa) {#name, Isa::isa, name},
#include "kernels/conv_direct/kernels.inc"
#undef VGG19_KERNEL
};

constexpr std::size_t taps = 3;     // along each side of the window
constexpr std::size_t lanes = 8;    // output channels at a time
constexpr std::size_t columns = 4;  // output columns at a time: with 8 lanes, sums fit in 16 SSE registers

/// One row of one input channel.
struct InputRow {
    const float* first;
    std::size_t stride;  ///< floats from a column to the next
};

InputRow input_row(const ConvDirect& problem, std::size_t image, std::size_t channel, std::size_t row) {
    if (problem.plain_input) {
        const std::size_t index = (image * problem.input_channels + channel) * problem.height + row;
        return {problem.input + index * problem.width, 1};
    }
    return {problem.input + blocked_index(problem.input_channels, problem.height, problem.width,
                                          problem.block, image, channel, row, 0),
            problem.block};
}

/// The input columns that output columns [column, column + columns) see, with zeros outside the map.
void load_window(const InputRow& row, std::size_t width, std::size_t column, float* window) {
    for (std::size_t i = 0; i < columns + taps - 1; ++i) {
        const std::size_t x = column + i;  // of the padded row: the map starts at 1
        window[i] = x >= 1 && x <= width ? row.first[(x - 1) * row.stride] : 0;
    }
}

/// sums[column][lane] += Σ_s window[column + s] · weights[s][lane]; weights of two taps are `block` apart.
void accumulate(const float* window, const float* weights, std::size_t block, float (&sums)[columns][lanes]) {
    for (std::size_t s = 0; s < taps; ++s) {
        for (std::size_t column = 0; column < columns; ++column) {
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                sums[column][lane] += window[column + s] * weights[s * block + lane];
            }
        }
    }
}

/// Where a tile of `columns` × `lanes` outputs stands.
struct Tile {
    std::size_t image;
    std::size_t channel;
    std::size_t row;
    std::size_t column;
};

void convolve_tile(const ConvDirect& problem, const Tile& tile, const float* weights, float* output) {
    float sums[columns][lanes] = {};
    for (std::size_t lane = 0; lane < lanes && tile.channel + lane < problem.output_channels; ++lane) {
        for (auto& sum : sums) sum[lane] = problem.bias[tile.channel + lane];
    }
    for (std::size_t channel = 0; channel < problem.input_channels; ++channel) {
        for (std::size_t r = 0; r < taps; ++r) {
            const std::size_t row = tile.row + r;  // of the padded map: it starts at 1
            if (row < 1 || row > problem.height) continue;
            float window[columns + taps - 1];
            load_window(input_row(problem, tile.image, channel, row - 1), problem.width, tile.column, window);
            accumulate(window, weights + (channel * taps + r) * taps * problem.block, problem.block, sums);
        }
    }
    const std::size_t inside = std::min(columns, problem.width - tile.column);
    for (std::size_t column = 0; column < inside; ++column) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            output[column * problem.block + lane] = std::max(sums[column][lane], 0.0F);
        }
    }
}

}  // namespace

std::span<const Kernel<ConvDirectFunction>> conv_direct_kernels() {
    return kernels;
}

void conv_direct_scalar(const ConvDirect& problem, std::size_t begin, std::size_t end) {
    const std::size_t block = problem.block;
    const std::size_t blocks = blocks_of(problem.output_channels, block);
    for (std::size_t index = begin; index < end; ++index) {
        const std::size_t channel_block = index / problem.height % blocks;
        const float* weights = problem.weights + channel_block * problem.input_channels * taps * taps * block;
        float* output = problem.output + index * problem.width * block;
        for (std::size_t lane = 0; lane < block; lane += lanes) {
            for (std::size_t column = 0; column < problem.width; column += columns) {
                const Tile tile = {.image = index / problem.height / blocks,
                                   .channel = channel_block * block + lane,
                                   .row = index % problem.height,
                                   .column = column};
                convolve_tile(problem, tile, weights + lane, output + column * block + lane);
            }
        }
    }
}

std::size_t conv_direct_packed_size(std::size_t input_channels, std::size_t output_channels,
                                    std::size_t block) {
    return blocks_of(output_channels, block) * block * input_channels * taps * taps;
}

void conv_direct_pack(std::size_t input_channels, std::size_t output_channels, std::size_t block,
                      const float* weights, float* packed) {
    const std::size_t filter_size = input_channels * taps * taps;
    for (std::size_t first = 0; first < output_channels; first += block) {
        for (std::size_t tap = 0; tap < filter_size; ++tap) {
            for (std::size_t channel = first; channel < first + block; ++channel) {
                *packed++ = channel < output_channels ? weights[channel * filter_size + tap] : 0;
            }
        }
    }
}

}  // namespace vgg19::kernels
