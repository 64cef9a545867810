#include "engine/image/preprocess.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>

#include "engine/image/resize.h"
#include "vgg19/error.h"

namespace vgg19 {
namespace {

[[noreturn]] void fail(const std::string& message) {
    throw Error(ErrorKind::usage, message);
}

void check_view(const ImageView& image) {
    if (image.rgb == nullptr || image.width == 0 || image.height == 0) fail("the image has no pixels");
    if (image.stride / 3 < image.width) {
        fail("the image's stride of " + std::to_string(image.stride) + " bytes is less than " +
             std::to_string(image.width) + " pixels of 3 bytes");
    }
    constexpr std::size_t most_bytes = std::numeric_limits<std::ptrdiff_t>::max();
    if (image.stride > most_bytes / image.height) {
        fail("an image of " + std::to_string(image.height) + " rows with a stride of " +
             std::to_string(image.stride) + " bytes is larger than memory");
    }
}

std::size_t resized_side(double resize_ratio, std::size_t size) {
    constexpr double largest_ratio = 1000.0;
    const double side = std::nearbyint(static_cast<double>(size) * resize_ratio);
    if (size == 0 || !(side >= static_cast<double>(size)) || resize_ratio > largest_ratio) {
        fail("an input size of " + std::to_string(size) + " with a resize ratio of " +
             std::to_string(resize_ratio) + ": expected a positive size and a ratio from 1 to 1000");
    }
    return static_cast<std::size_t>(side);
}

/// Where a centred crop starts; half a pixel rounds to the even number, as in Python's round().
std::size_t crop_start(std::size_t side, std::size_t crop) {
    const std::size_t half = (side - crop) / 2;
    const bool is_tie = (side - crop) % 2 == 1;
    return is_tie && half % 2 == 1 ? half + 1 : half;
}

}  // namespace

Image resize_and_crop(const ImageView& image, double resize_ratio, MapSize size) {
    check_view(image);
    MapSize resized = {resized_side(resize_ratio, size.height), resized_side(resize_ratio, size.width)};
    // The relatively shorter side decides; the other one then is long enough.
    if (image.height * size.width < image.width * size.height) {
        resized.width = resized.height * image.width / image.height;
    } else {
        resized.height = resized.width * image.height / image.width;
    }
    return resize_bilinear(image, resized.width, resized.height,
                           {crop_start(resized.width, size.width), crop_start(resized.height, size.height),
                            size.width, size.height});
}

void preprocess(const ImageView& image, const Preprocessing& preprocessing, MapSize size,
                std::span<float> nchw) {
    if (nchw.size() != 3 * size.pixels()) {
        fail("expected room for 3·" + std::to_string(size.height) + "·" + std::to_string(size.width) +
             " numbers, found " + std::to_string(nchw.size()));
    }
    const Image crop = resize_and_crop(image, preprocessing.resize_ratio, size);
    const bool is_bgr = preprocessing.channel_order == ChannelOrder::bgr;
    for (std::size_t c = 0; c < 3; ++c) {
        std::array<float, 256> normalised{};
        for (std::size_t sample = 0; sample < normalised.size(); ++sample) {
            normalised[sample] =
                (static_cast<float>(sample) * preprocessing.range / 255.0F - preprocessing.mean[c]) /
                preprocessing.deviation[c];
        }
        const std::size_t colour = is_bgr ? 2 - c : c;
        float* plane = nchw.data() + c * size.pixels();
        for (std::size_t i = 0; i < size.pixels(); ++i) plane[i] = normalised[crop.rgb[i * 3 + colour]];
    }
}

}  // namespace vgg19
