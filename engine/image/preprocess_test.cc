#include "engine/image/preprocess.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "engine/image/bytes.h"
#include "engine/image/testing.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "vgg19/error.h"
#include "vgg19/image.h"

using vgg19::ErrorKind;
using vgg19::Image;
using vgg19::ImageView;
using vgg19::load_image;
using vgg19::MapSize;
using vgg19::preprocess;
using vgg19::Preprocessing;
using vgg19::resize_and_crop;
using vgg19::kernels::testing::GuardedBuffer;
using vgg19::testing::contains;
using vgg19::testing::error_of;
using vgg19::testing::fixture;
using vgg19::testing::largest_difference;
using vgg19::testing::read_fixture;

namespace {

const double usual_ratio = Preprocessing{}.resize_ratio;

Image plain(std::size_t width, std::size_t height, std::uint8_t value) {
    return {std::vector<std::uint8_t>(width * height * 3, value), width, height};
}

}  // namespace

TEST_CASE("resize and crop give the pixels that Pillow and torchvision give") {
    struct Case {
        std::string source;
        MapSize size;
    };
    for (const Case& c : {Case{"down", 32},
                          {"down", 96},
                          {"odd", 33},
                          {"odd", 64},
                          {"tall", 48},
                          {"up", 64},
                          {"sliver", 32},
                          {"smooth", 224},
                          {"odd", {24, 48}},
                          {"odd", {64, 40}},
                          {"tall", {40, 33}},
                          {"smooth", {160, 224}}}) {
        CAPTURE(c.source);
        CAPTURE(to_string(c.size));
        const Image expected = load_image(fixture(c.source + "." + to_string(c.size) + ".expected.png"));
        const Image found =
            resize_and_crop(load_image(fixture(c.source + ".png")).view(), usual_ratio, c.size);
        CHECK(largest_difference(found, expected) == 0);
    }
}

TEST_CASE("the normalised numbers are torchvision's") {
    const std::size_t size = 32;
    const std::vector<std::uint8_t> expected = read_fixture("down.32.expected.f32");
    GuardedBuffer<float> found(3 * size * size);
    REQUIRE(expected.size() == found.size() * sizeof(float));
    preprocess(load_image(fixture("down.png")).view(), {}, size, {found.data(), found.size()});
    float largest = 0.0F;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto value = std::bit_cast<float>(vgg19::little_endian(expected, 4 * i, 4));
        largest = std::max(largest, std::abs(found[i] - value));
    }
    CHECK(largest <= 1e-6F);  // the pixels are equal, so only rounding may differ
}

TEST_CASE("each channel is normalised by its own mean and deviation") {
    Preprocessing preprocessing;
    preprocessing.mean = {0.0F, 0.5F, 1.0F};
    preprocessing.deviation = {1.0F, 0.5F, 0.25F};
    std::vector<float> nchw(3 * 4 * 4);
    preprocess(plain(9, 7, 255).view(), preprocessing, 4, nchw);
    CHECK(nchw[0] == doctest::Approx(1.0F));
    CHECK(nchw[16] == doctest::Approx(1.0F));
    CHECK(nchw[32] == doctest::Approx(0.0F));
}

TEST_CASE("channels are normalised in the network's order and range, as Caffe does") {
    const Image source = load_image(fixture("odd.png"));
    constexpr std::array<float, 3> blue_green_red = {103.939F, 116.779F, 123.68F};
    const Preprocessing caffe = {.resize_ratio = 1,
                                 .mean = blue_green_red,
                                 .deviation = {1, 1, 1},
                                 .channel_order = vgg19::ChannelOrder::bgr,
                                 .range = 255};
    constexpr std::size_t side = 40;
    std::vector<float> found(3 * side * side);
    preprocess(source.view(), caffe, side, found);
    const Image crop = resize_and_crop(source.view(), 1, side);
    for (std::size_t i = 0; i < side * side; ++i) {
        for (std::size_t c = 0; c < 3; ++c) {
            const std::uint8_t sample = crop.rgb[3 * i + (2 - c)];
            REQUIRE(found[c * side * side + i] == static_cast<float>(sample) - blue_green_red.at(c));
        }
    }
}

TEST_CASE("rows may have a stride, and nothing after the last row's pixels is read") {
    const Image packed = load_image(fixture("odd.png"));
    const std::size_t row_bytes = packed.width * 3;
    const std::size_t stride = row_bytes + 5;
    GuardedBuffer<std::uint8_t> strided((packed.height - 1) * stride + row_bytes);
    for (std::size_t y = 0; y < packed.height; ++y) {
        std::copy_n(packed.rgb.data() + y * row_bytes, row_bytes, strided.data() + y * stride);
    }
    const ImageView view{strided.data(), packed.width, packed.height, stride};
    for (const std::size_t size : {std::size_t{1}, std::size_t{33}, std::size_t{100}}) {
        CHECK(largest_difference(resize_and_crop(view, usual_ratio, size),
                                 resize_and_crop(packed.view(), usual_ratio, size)) == 0);
    }
}

TEST_CASE("a single-coloured picture of any shape stays single-coloured") {
    for (const std::size_t width : {1U, 2U, 3U, 50U, 1000U}) {
        for (const std::size_t height : {1U, 2U, 7U, 64U}) {
            CAPTURE(width);
            CAPTURE(height);
            for (const int value : {0, 1, 127, 255}) {
                const auto sample = static_cast<std::uint8_t>(value);
                const Image crop = resize_and_crop(plain(width, height, sample).view(), usual_ratio, 20);
                CHECK(std::all_of(crop.rgb.begin(), crop.rgb.end(), [&](auto s) { return s == sample; }));
            }
        }
    }
}

TEST_CASE("a picture that already has the size is only cropped") {
    const Image source = load_image(fixture("odd.png"));  // 61 × 47
    const Image crop = resize_and_crop(source.view(), 1.0, 47);
    const std::size_t left = 7;
    for (std::size_t y = 0; y < 47; ++y) {
        CHECK(std::equal(crop.rgb.begin() + static_cast<std::ptrdiff_t>(y * 47 * 3),
                         crop.rgb.begin() + static_cast<std::ptrdiff_t>((y + 1) * 47 * 3),
                         source.rgb.begin() + static_cast<std::ptrdiff_t>((y * 61 + left) * 3)));
    }
}

TEST_CASE("a very narrow picture costs no more than others") {
    const Image sliver = plain(1, 200'000, 77);
    CHECK(resize_and_crop(sliver.view(), usual_ratio, 224).rgb.front() == 77);
    const Image flat = plain(200'000, 1, 77);
    CHECK(resize_and_crop(flat.view(), usual_ratio, 224).rgb.back() == 77);
}

TEST_CASE("invalid inputs of preprocessing are refused") {
    const Image image = plain(8, 8, 0);
    const auto error = [](const ImageView& view, double ratio, std::size_t size) {
        return error_of(ErrorKind::usage, [&] { resize_and_crop(view, ratio, size); });
    };
    CHECK(contains(error({}, usual_ratio, 8), "no pixels"));
    CHECK(contains(error({image.rgb.data(), 0, 8, 24}, usual_ratio, 8), "no pixels"));
    CHECK(contains(error({image.rgb.data(), 8, 8, 23}, usual_ratio, 8),
                   "stride of 23 bytes is less than 8 pixels"));
    CHECK(contains(error({image.rgb.data(), 8, 8, SIZE_MAX / 8}, usual_ratio, 8), "is larger than memory"));
    CHECK(contains(error({image.rgb.data(), 8, SIZE_MAX / 24 + 1, 24}, usual_ratio, 8),
                   "is larger than memory"));
    CHECK(contains(error(image.view(), usual_ratio, 0), "expected a positive size"));
    CHECK(contains(error(image.view(), 0.5, 8), "a ratio from 1 to 1000"));
    CHECK(contains(error(image.view(), 1e30, 8), "a ratio from 1 to 1000"));
    CHECK(contains(error(image.view(), std::nan(""), 8), "a ratio from 1 to 1000"));

    std::vector<float> too_small(10);
    CHECK(contains(error_of(ErrorKind::usage, [&] { preprocess(image.view(), {}, 8, too_small); }),
                   "expected room for 3·8·8 numbers, found 10"));
}
