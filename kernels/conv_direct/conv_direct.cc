#include "kernels/conv_direct/conv_direct.h"

#include "kernels/common/blocked_layout.h"

namespace vgg19::kernels {

namespace {

constexpr std::size_t taps = 3;  // along each side of the window

}  // namespace

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
