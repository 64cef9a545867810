#include "python/library/pictures.h"

#include "engine/image/over_white.h"
#include "tools/command_line/option_groups.h"

namespace vgg19::python {

ImageOptions image_options(MapSize input_size) {
    ImageOptions options;
    keep_sides_for(input_size, options);
    return options;
}

Image over_white(std::span<const std::uint8_t> rgba, std::size_t width, std::size_t height) {
    Image image{.rgb = std::vector<std::uint8_t>(width * height * 3), .width = width, .height = height};
    for (std::size_t pixel = 0; pixel < width * height; ++pixel) {
        const auto from = rgba.subspan(pixel * 4, 4);
        for (std::size_t channel = 0; channel < 3; ++channel) {
            image.rgb[pixel * 3 + channel] = vgg19::over_white(from[channel], from[3]);
        }
    }
    return image;
}

}  // namespace vgg19::python
