#include "converter/quantize/winograd_tile.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "kernels/common/testing/random.h"
#include "kernels/reference/winograd_int8_tiles.h"
#include "kernels/winograd_int8/transform_filter.h"

namespace vgg19::converter {

namespace {

template <class Points>
void check_convolution() {
    kernels::testing::Random random;
    INFO(random.replay());
    typename Points::template Pixels<float> pixels{};
    std::array<float, 9> filter{};
    random.fill(pixels, 0, 1);
    random.fill(filter, -1, 1);

    const auto inputs = Points::input(pixels);
    const auto weights = Points::filter(filter.data());
    typename Points::template Values<float> products{};
    for (std::size_t p = 0; p < products.size(); ++p) products[p] = inputs[p] * weights[p];
    const typename Points::Output found = Points::output(products);

    for (std::size_t output = 0; output < found.size(); ++output) {
        double expected = 0;
        for (std::size_t tap = 0; tap < filter.size(); ++tap) {
            const std::size_t row = output / Points::step + tap / 3;
            const std::size_t column = output % Points::step + tap % 3;
            expected +=
                static_cast<double>(pixels[row * Points::side + column]) * static_cast<double>(filter[tap]);
        }
        CHECK(static_cast<double>(found[output]) == doctest::Approx(expected).epsilon(1e-5));
    }
}

}  // namespace

TEST_CASE("the transforms together are a 3×3 convolution of a tile") {
    check_convolution<TileF2x2>();
    check_convolution<TileF4x4>();
}

TEST_CASE("the transforms of F(4×4) are the kernel's") {
    kernels::testing::Random random;
    INFO(random.replay());
    std::array<std::int32_t, 36> pixels{};
    for (auto& pixel : pixels) pixel = random.integer(0, 255);
    const auto expected =
        kernels::reference_input_f4x4(std::vector<std::int32_t>(pixels.begin(), pixels.end()));
    const auto found = TileF4x4::input(pixels);
    CHECK(std::equal(found.begin(), found.end(), expected.begin()));
    std::array<std::int8_t, 9> filter{};
    std::array<float, 9> same{};
    for (std::size_t tap = 0; tap < filter.size(); ++tap) {
        filter[tap] = static_cast<std::int8_t>(random.integer(-127, 127));
        same[tap] = filter[tap];
    }
    const auto integers = kernels::transformed_filter_f4x4(filter.data());
    const auto floats = TileF4x4::filter(same.data());
    for (std::size_t p = 0; p < floats.size(); ++p) CHECK(floats[p] * 16 == static_cast<float>(integers[p]));
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
