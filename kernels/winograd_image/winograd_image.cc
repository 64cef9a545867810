// The selector, the packing of weights, and the scalar kernel: the definition in loops, with sums in double.
#include "kernels/winograd_image/winograd_image.h"

#include <algorithm>
#include <array>

#include "kernels/common/quantize.h"
#include "kernels/winograd/matrices.h"
#include "kernels/winograd_image/padding.h"

namespace vgg19::kernels {

namespace {

constexpr std::size_t positions = WinogradImage::positions;
constexpr std::size_t tile_width = WinogradImage::tile_width;
constexpr std::size_t filter_rows = WinogradImage::filter_rows;
constexpr const auto& matrices = winograd_matrices<tile_width>;

/// Where the packed weight of an output channel stands.
std::size_t packed_index(const WinogradImage& problem, std::size_t channel, std::size_t input_channel,
                         std::size_t filter_row, std::size_t position) {
    const std::size_t group_lanes = WinogradImage::group_blocks * problem.block;
    const std::size_t group = channel / group_lanes;
    const std::size_t lanes =
        std::min(group_lanes, problem.output_blocks() * problem.block - group * group_lanes);
    return problem.packed_group(group) +
           ((input_channel * filter_rows + filter_row) * positions + position) * lanes +
           channel % group_lanes;
}

/// Where a tile lies: the image, its output row, and its first output column.
struct TilePlace {
    std::size_t image;
    std::size_t row;
    std::size_t column;
};

/// Bᵀ d of all channels c and filter rows r: transformed[c][r][position]. Zero around the map.
void transform_input(const WinogradImage& problem, TilePlace place, float* transformed) {
    for (std::size_t line = 0; line < problem.input_channels * filter_rows; ++line) {
        // Unsigned: −1 is past the end too.
        const std::size_t row = place.row + line % filter_rows - 1;
        const float* plane = problem.input + (place.image * problem.input_channels + line / filter_rows) *
                                                 problem.height * problem.width;
        for (std::size_t position = 0; position < positions; ++position) {
            double sum = 0;
            for (std::size_t k = 0; k < positions; ++k) {
                const std::size_t column = place.column + k - 1;
                if (row >= problem.height || column >= problem.width) continue;
                sum += matrices.input[position][k] * double{plane[row * problem.width + column]};
            }
            transformed[line * positions + position] = static_cast<float>(sum);
        }
    }
}

/// Σ_c Σ_r (G g_cr) ⊙ (Bᵀ d_cr) of one output channel.
std::array<double, positions> sum_of_products(const WinogradImage& problem, std::size_t channel,
                                              const float* transformed) {
    std::array<double, positions> sums{};
    for (std::size_t line = 0; line < problem.input_channels * filter_rows; ++line) {
        for (std::size_t position = 0; position < positions; ++position) {
            const float weight = problem.weights[packed_index(problem, channel, line / filter_rows,
                                                              line % filter_rows, position)];
            sums[position] += double{transformed[line * positions + position]} * double{weight};
        }
    }
    return sums;
}

/// Aᵀ of the sums, bias and ReLU; writes the pixels that lie in the map.
void transform_output(const WinogradImage& problem, TilePlace place, std::size_t channel,
                      const std::array<double, positions>& sums) {
    const std::size_t columns = std::min(tile_width, problem.width - place.column);
    for (std::size_t k = 0; k < columns; ++k) {
        double pixel{problem.bias[channel]};
        for (std::size_t position = 0; position < positions; ++position) {
            pixel += matrices.output[k][position] * sums[position];
        }
        const auto value = static_cast<float>(std::max(pixel, 0.0));
        const auto index = [&](std::size_t block) {
            return blocked_index(problem.output_channels, problem.height, problem.width, block, place.image,
                                 channel, place.row, place.column + k);
        };
        if (problem.quantized_output != nullptr) {
            problem.quantized_output[index(int8_channel_block)] =
                quantized(value * problem.output_inverse_scale);
        } else {
            problem.output[index(problem.block)] = value;
        }
    }
}

constexpr Kernel<WinogradImageFunction> kernel_list[] = {
#define VGG19_KERNEL(name, isa) {#name, Isa::isa, &(name)},
#include "kernels/winograd_image/kernels.inc"
#undef VGG19_KERNEL
};

}  // namespace

void winograd_image_scalar(const WinogradImage& problem, std::size_t row_begin, std::size_t row_end,
                           float* scratch) {
    for (std::size_t row = row_begin; row < row_end; ++row) {
        for (std::size_t tile = 0; tile < problem.tiles(); ++tile) {
            const TilePlace place = {row / problem.height, row % problem.height, tile * tile_width};
            transform_input(problem, place, scratch);
            for (std::size_t channel = 0; channel < problem.output_blocks() * problem.block; ++channel) {
                transform_output(problem, place, channel, sum_of_products(problem, channel, scratch));
            }
        }
        if (problem.quantized_output != nullptr) {
            clear_padding(problem, row / problem.height, row % problem.height);
        }
    }
}

void winograd_image_pack(const WinogradImage& problem, const float* weights, float* packed) {
    std::fill_n(packed, problem.packed_size(), 0.0F);  // past the last channel
    for (std::size_t channel = 0; channel < problem.output_channels; ++channel) {
        for (std::size_t input_channel = 0; input_channel < problem.input_channels; ++input_channel) {
            for (std::size_t row = 0; row < filter_rows; ++row) {
                const float* taps =
                    weights + ((channel * problem.input_channels + input_channel) * filter_rows + row) * 3;
                for (std::size_t position = 0; position < positions; ++position) {
                    const auto& factors = matrices.filter[position];
                    packed[packed_index(problem, channel, input_channel, row, position)] =
                        static_cast<float>(factors[0] * double{taps[0]} + factors[1] * double{taps[1]} +
                                           factors[2] * double{taps[2]});
                }
            }
        }
    }
}

std::span<const Kernel<WinogradImageFunction>> winograd_image_kernels() {
    return kernel_list;
}

}  // namespace vgg19::kernels
