#include "tools/perceptual/heat_map.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace vgg19::tools {

namespace {

constexpr std::array<Colour, 5> ramp = {
    {{8, 4, 24}, {92, 22, 110}, {203, 52, 62}, {248, 142, 30}, {252, 250, 190}}};

double grey_of(const std::uint8_t* pixel) {
    // Luma of ITU-R BT.601, as JPEG's.
    return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
}

}  // namespace

Colour heat_colour(double share) {
    const double place = std::clamp(share, 0.0, 1.0) * (ramp.size() - 1);
    const auto first = std::min(static_cast<std::size_t>(place), ramp.size() - 2);
    Colour colour{};
    for (std::size_t c = 0; c < colour.size(); ++c) {
        colour[c] = static_cast<std::uint8_t>(std::lround(std::lerp(static_cast<double>(ramp[first][c]),
                                                                    static_cast<double>(ramp[first + 1][c]),
                                                                    place - static_cast<double>(first))));
    }
    return colour;
}

Image heat_map(const ImageView& picture, std::span<const float> heat, double hottest) {
    constexpr double dimmed = 0.5;
    Image image{std::vector<std::uint8_t>(picture.width * picture.height * 3), picture.width, picture.height};
    std::uint8_t* to = image.rgb.data();
    for (std::size_t y = 0; y < picture.height; ++y) {
        for (std::size_t x = 0; x < picture.width; ++x, to += 3) {
            const double share =
                std::clamp(static_cast<double>(heat[y * picture.width + x]) / hottest, 0.0, 1.0);
            const double grey = dimmed * grey_of(picture.rgb + y * picture.stride + x * 3);
            // Colours cover the picture faster than they rise, so that a middle heat is not mistaken for
            // grey.
            const double cover = std::sqrt(share);
            const Colour colour = heat_colour(share);
            for (std::size_t c = 0; c < 3; ++c) {
                to[c] = static_cast<std::uint8_t>(
                    std::lround(std::lerp(grey, static_cast<double>(colour[c]), cover)));
            }
        }
    }
    return image;
}

}  // namespace vgg19::tools
