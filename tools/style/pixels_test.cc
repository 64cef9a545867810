#include "tools/style/pixels.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/image/preprocess.h"

using namespace vgg19;
using namespace vgg19::tools;

namespace {

Image pattern(std::size_t width, std::size_t height) {
    Image image{std::vector<std::uint8_t>(width * height * 3), width, height};
    for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = static_cast<std::uint8_t>(i * 37);
    return image;
}

constexpr Preprocessing caffe = {.mean = {103.939F, 116.779F, 123.68F},
                                 .deviation = {1, 1, 1},
                                 .channel_order = ChannelOrder::bgr,
                                 .range = 255};

}  // namespace

TEST_CASE("a picture's planes become the same picture again, and what is outside is cut off") {
    const Image image = pattern(7, 5);
    std::vector<float> planes = planes_of(image.view());
    CHECK(planes[35 + 8] == doctest::Approx(image.rgb[8 * 3 + 1] / 255.0));
    CHECK(image_of(planes, {5, 7}).rgb == image.rgb);
    planes[0] = -3;
    planes[1] = 3;
    const Image cut = image_of(planes, {5, 7});
    CHECK(cut.rgb[0] == 0);
    CHECK(cut.rgb[3] == 255);
}

TEST_CASE("the input made of planes is that of the picture, for every kind of preprocessing") {
    const Image image = pattern(6, 4);
    const MapSize size = {4, 6};
    for (Preprocessing preprocessing : {Preprocessing{}, caffe}) {
        preprocessing.resize_ratio = 1;
        std::vector<float> expected(3 * size.pixels());
        preprocess(image.view(), preprocessing, size, expected);
        std::vector<float> input(expected.size());
        PixelTransform(preprocessing).to_input(planes_of(image.view()), input);
        for (std::size_t i = 0; i < input.size(); ++i) {
            CHECK(input[i] == doctest::Approx(expected[i]).epsilon(1e-5).scale(1));
        }
    }
}

TEST_CASE("a gradient goes back through the same channels and factors") {
    std::vector<float> planes(3, 1.0F);
    PixelTransform(caffe).add_gradient(std::vector<float>{1, 2, 3}, planes);
    CHECK(planes == std::vector<float>{1 + 3 * 255, 1 + 2 * 255, 1 + 1 * 255});
    planes.assign(3, 0.0F);
    PixelTransform(Preprocessing{}).add_gradient(std::vector<float>{1, 2, 3}, planes);
    CHECK(planes[0] == doctest::Approx(1 / 0.229));
    CHECK(planes[2] == doctest::Approx(3 / 0.225));
}

TEST_CASE("noise depends on its seed alone") {
    const auto noise = noise_planes({40, 50}, 1);
    CHECK(noise == noise_planes({40, 50}, 1));
    CHECK(noise != noise_planes({40, 50}, 2));
    double sum = 0;
    for (const float value : noise) {
        CHECK((value >= 0 && value < 1));
        sum += static_cast<double>(value);
    }
    CHECK(sum / static_cast<double>(noise.size()) == doctest::Approx(0.5).epsilon(0.05));
    // SplitMix64's first output for the seed 0 is 0xE220A8397B1DCDAF.
    CHECK(noise_planes(1, 0)[0] == static_cast<float>(0xE220A8) / static_cast<float>(1U << 24U));
}
