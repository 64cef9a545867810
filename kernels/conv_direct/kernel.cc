// Plain loops, which compilers vectorise.
#include <cstddef>

#include "kernels/common/blocked_layout.h"
#include "kernels/conv_direct/conv_direct.h"

namespace vgg19::kernels::VGG19_ISA {

namespace {

constexpr std::size_t taps = 3;   // along each side of the window
constexpr std::size_t lanes = 8;  // output channels at a time
constexpr std::size_t columns =
    4;  // output columns at a time: with 8 lanes, the sums fit in 16 registers of four

/// One row of one input channel.
struct InputRow {
    const float* first;
    std::size_t stride;  ///< floats between columns
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

/// Loads the input columns for output columns [column, column + columns), with zeros outside the map.
void load_window(const InputRow& row, std::size_t width, std::size_t column, float* window) {
    for (std::size_t i = 0; i < columns + taps - 1; ++i) {
        const std::size_t x = column + i;  // in the padded row, where the map starts at 1
        window[i] = x >= 1 && x <= width ? row.first[(x - 1) * row.stride] : 0;
    }
}

/// sums[column][lane] += Σ_s window[column + s] · weights[s][lane]; consecutive taps' weights are `block`
/// apart.
void accumulate(const float* window, const float* weights, std::size_t block, float (&sums)[columns][lanes]) {
    for (std::size_t s = 0; s < taps; ++s) {
        for (std::size_t column = 0; column < columns; ++column) {
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                sums[column][lane] += window[column + s] * weights[s * block + lane];
            }
        }
    }
}

/// The position of a tile of `columns` × `lanes` outputs.
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
            const std::size_t row = tile.row + r;  // in the padded map, which starts at 1
            if (row < 1 || row > problem.height) continue;
            float window[columns + taps - 1];
            load_window(input_row(problem, tile.image, channel, row - 1), problem.width, tile.column, window);
            accumulate(window, weights + (channel * taps + r) * taps * problem.block, problem.block, sums);
        }
    }
    const std::size_t inside = columns < problem.width - tile.column ? columns : problem.width - tile.column;
    for (std::size_t column = 0; column < inside; ++column) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            const float sum = sums[column][lane];
            output[column * problem.block + lane] = problem.relu && !(sum > 0.0F) ? 0.0F : sum;
        }
    }
}

}  // namespace

void conv_direct(const ConvDirect& problem, std::size_t begin, std::size_t end) {
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

}  // namespace vgg19::kernels::VGG19_ISA
