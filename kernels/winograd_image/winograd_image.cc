// The packing of weights.
#include "kernels/winograd_image/winograd_image.h"

#include <algorithm>

#include "kernels/winograd/matrices.h"

namespace vgg19::kernels {

namespace {

constexpr std::size_t positions = WinogradImage::positions;
constexpr std::size_t filter_rows = WinogradImage::filter_rows;
constexpr const auto& matrices = winograd_matrices<WinogradImage::tile_width>;

/// The index of an output channel's packed weight.
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

}  // namespace

void winograd_image_pack(const WinogradImage& problem, const float* weights, float* packed) {
    std::fill_n(packed, problem.packed_size(), 0.0F);  // zeros for padding channels
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

}  // namespace vgg19::kernels
