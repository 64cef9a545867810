#include "converter/quantize/winograd_tile.h"

#include <doctest/doctest.h>

#include <array>

#include "kernels/common/testing/random.h"

namespace vgg19::converter {

TEST_CASE("the transforms together are a 3×3 convolution of a tile") {
    kernels::testing::Random random;
    INFO(random.replay());
    Tile<float> pixels{};
    std::array<float, 9> filter{};
    random.fill(pixels, 0, 1);
    random.fill(filter, -1, 1);

    const Tile<float> inputs = transform_input(pixels);
    const Tile<float> weights = transform_filter(filter.data());
    Tile<float> products{};
    for (std::size_t p = 0; p < products.size(); ++p) products[p] = inputs[p] * weights[p];
    const std::array<float, 4> found = transform_output(products);

    for (std::size_t output = 0; output < found.size(); ++output) {
        double expected = 0;
        for (std::size_t tap = 0; tap < filter.size(); ++tap) {
            const std::size_t row = output / 2 + tap / 3;
            const std::size_t column = output % 2 + tap % 3;
            expected += static_cast<double>(pixels[row * 4 + column]) * static_cast<double>(filter[tap]);
        }
        CHECK(static_cast<double>(found[output]) == doctest::Approx(expected).epsilon(1e-5));
    }
}

TEST_CASE("transformed pixels are sums and differences of four, and only one position is never negative") {
    Tile<int> pixels{};
    for (std::size_t pixel = 0; pixel < pixels.size(); ++pixel) {
        pixels.fill(0);
        pixels[pixel] = 1;
        const Tile<int> transformed = transform_input(pixels);
        CHECK(transformed[sum_position] >= 0);
    }
    for (std::size_t position = 0; position < pixels.size(); ++position) {
        int positive = 0;
        int negative = 0;
        for (std::size_t pixel = 0; pixel < pixels.size(); ++pixel) {
            pixels.fill(0);
            pixels[pixel] = 1;
            const int weight = transform_input(pixels)[position];
            positive += weight > 0 ? weight : 0;
            negative += weight < 0 ? -weight : 0;
        }
        CHECK(positive == (position == sum_position ? 4 : 2));
        CHECK(negative == (position == sum_position ? 0 : 2));
    }
}

}  // namespace vgg19::converter
