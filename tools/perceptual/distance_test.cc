#include "tools/perceptual/distance.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "tools/perceptual/heat_map.h"

using namespace vgg19;
using namespace vgg19::tools;

namespace {

FeatureMap map_of(std::span<const float> values, std::size_t channels, MapSize size) {
    return {values, channels, size};
}

}  // namespace

TEST_CASE("a pixel's distance is that of its channels' directions") {
    // Pixels: the same direction, orthogonal, opposite, both zero, one zero.
    const std::array<float, 10> a = {1, 1, 2, 0, 0, /* second channel */ 1, 0, 0, 0, 0};
    const std::array<float, 10> b = {5, 0, -1, 0, 3, 5, 4, 0, 0, 4};
    const auto distances = pixel_distances(map_of(a, 2, {1, 5}), map_of(b, 2, {1, 5}));
    REQUIRE(distances.size() == 5);
    CHECK(distances[0] == doctest::Approx(0).epsilon(1e-9));
    CHECK(distances[1] == doctest::Approx(2));
    CHECK(distances[2] == doctest::Approx(4));
    CHECK(distances[3] == 0);
    CHECK(distances[4] == doctest::Approx(1));
    CHECK(mean(distances) == doctest::Approx(7.0 / 5));
    for (const float distance : pixel_distances(map_of(a, 2, {1, 5}), map_of(a, 2, {1, 5}))) {
        CHECK(distance == 0);
    }
}

TEST_CASE("maps are enlarged as areas, and corners keep their values") {
    const std::array<float, 4> pixels = {0, 4, 8, 12};
    CHECK(enlarged(pixels, 2, {2, 2}) == std::vector<float>(pixels.begin(), pixels.end()));
    const auto large = enlarged(pixels, 2, {2, 4});
    CHECK(large == std::vector<float>{0, 1, 3, 4, 8, 9, 11, 12});
    CHECK(enlarged(std::array<float, 1>{3}, 1, {2, 3}) == std::vector<float>(6, 3.0F));
    // 3 to 5, as torch.nn.functional.interpolate(…, mode="bilinear", align_corners=False) has it.
    const auto odd = enlarged(std::array<float, 3>{0, 10, 20}, {1, 3}, {1, 5});
    const std::array<double, 5> expected = {0, 4, 10, 16, 20};
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(odd[i] == doctest::Approx(expected[i]));
}

TEST_CASE("the noise of equal pictures is nothing, and one level off everywhere is 48 dB") {
    const std::array<unsigned char, 3> a = {0, 100, 254};
    const std::array<unsigned char, 3> b = {1, 101, 255};
    CHECK(std::isinf(peak_signal_to_noise(a, a)));
    CHECK(peak_signal_to_noise(a, b) == doctest::Approx(20 * std::log10(255)));
}

TEST_CASE("a heat map shows the picture in grey where it is cold, and colours that get lighter") {
    const std::array<std::uint8_t, 12> picture = {200, 200, 200, 10, 20, 30, 0, 0, 0, 255, 255, 255};
    const std::array<float, 4> heat = {0, 0, 7, 9};
    const Image image = heat_map({picture.data(), 2, 2, 6}, heat, 7);
    CHECK(image.rgb[0] == 100);
    CHECK(image.rgb[1] == 100);
    CHECK(image.rgb[3] == image.rgb[5]);
    const Colour hottest = heat_colour(1);
    for (std::size_t c = 0; c < 3; ++c) {
        CHECK(image.rgb[6 + c] == hottest[c]);
        CHECK(image.rgb[9 + c] == hottest[c]);  // more than the hottest
    }
    int before = -1;
    for (int i = 0; i <= 20; ++i) {
        const Colour colour = heat_colour(i / 20.0);
        const int light = 299 * colour[0] + 587 * colour[1] + 114 * colour[2];
        CHECK(light > before);
        before = light;
    }
}
