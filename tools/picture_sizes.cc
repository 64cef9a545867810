#include "tools/picture_sizes.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/image/preprocess.h"
#include "engine/image/resize.h"
#include "engine/model/map_size.h"
#include "engine/model/network.h"
#include "vgg19/error.h"

namespace vgg19::tools {

MapSize with_long_side(MapSize size, std::size_t long_side) {
    const auto longer = static_cast<double>(std::max(size.height, size.width));
    const auto scaled = [&](std::size_t side) {
        const double exact = static_cast<double>(side) * static_cast<double>(long_side) / longer;
        return std::max<std::size_t>(static_cast<std::size_t>(std::lround(exact)), 1);
    };
    return {scaled(size.height), scaled(size.width)};
}

MapSize long_side_option(const CommandLine& line, MapSize size, std::size_t usual) {
    const std::size_t own = std::max(size.height, size.width);
    return with_long_side(
        size, line.given("long-side")
                  ? line.whole_number("long-side", model::smallest_features_input, model::largest_input)
                  : std::min(own, usual));
}

MapSize feature_size_option(const CommandLine& line, const std::string& option, const std::string& other) {
    const std::string text = line.text(option);
    const auto size = model::parse_map_size(text);
    if (size && model::is_input_size(*size, model::smallest_features_input)) return *size;
    throw Error(ErrorKind::usage, "--" + option + ": expected " + other +
                                      model::expected_input_size(model::smallest_features_input) +
                                      ", found '" + text + "'");
}

Image resized(Image image, MapSize size) {
    if (size_of(image) == size) return image;
    return resize_bilinear(image.view(), size.width, size.height, {0, 0, size.width, size.height});
}

std::vector<float> input_of(const Image& image, const Preprocessing& preprocessing) {
    Preprocessing as_it_is = preprocessing;
    as_it_is.input_size = size_of(image);
    as_it_is.resize_ratio = 1;
    std::vector<float> input(model::image_channels * size_of(image).pixels());
    preprocess(image.view(), as_it_is, as_it_is.input_size, input);
    return input;
}

}  // namespace vgg19::tools
