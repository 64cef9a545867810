// For tests: the inputs from which make.py computed the golden data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vgg19/map_size.h"

namespace vgg19::testing {

inline std::uint32_t hash32(std::uint32_t value) {
    value = (value ^ (value >> 16U)) * 0x7FEB352DU;
    value = (value ^ (value >> 15U)) * 0x846CA68BU;
    return value ^ (value >> 16U);
}

/// (1, 3, height, width) floats in [-2, 2); seed below 16.
inline std::vector<float> input_image(MapSize size, std::uint32_t seed) {
    const auto noise = [&](std::uint32_t channel, std::uint32_t row, std::uint32_t column,
                           std::uint32_t salt) {
        return hash32(seed << 28U | salt << 26U | channel << 24U | row << 12U | column) >> 8U;
    };
    std::vector<float> image;
    image.reserve(3 * size.pixels());
    for (std::uint32_t channel = 0; channel < 3; ++channel) {
        for (std::uint32_t row = 0; row < size.height; ++row) {
            for (std::uint32_t column = 0; column < size.width; ++column) {
                const std::uint32_t block = noise(channel, row / 8, column / 8, 0);
                const std::uint32_t mixed = (3 * block + noise(channel, row, column, 1)) / 4;
                image.push_back(static_cast<float>(mixed) * 0x1p-22F - 2.0F);
            }
        }
    }
    return image;
}

}  // namespace vgg19::testing
