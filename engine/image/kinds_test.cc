// The variants of each format, as cameras, phones and other programs write them, compared with Pillow.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "engine/image/testing.h"
#include "vgg19/image.h"

using vgg19::Image;
using vgg19::ImageOptions;
using vgg19::load_image;
using vgg19::testing::check_decodes;
using vgg19::testing::contains;
using vgg19::testing::decode_error;
using vgg19::testing::File;
using vgg19::testing::fixture;
using vgg19::testing::joined;
using vgg19::testing::largest_difference;
using vgg19::testing::number;
using vgg19::testing::read_fixture;

namespace {

constexpr bool has_libjpeg = VGG19_HAS_JPEG != 0;
constexpr bool has_libwebp = VGG19_HAS_WEBP != 0;

/// With libjpeg the pixels are identical; stb_image upsamples half-size chroma differently.
constexpr int jpeg_tolerance = has_libjpeg ? 0 : 12;

}  // namespace

TEST_CASE("JPEGs of all kinds have Pillow's pixels") {
    for (const char* name :
         {"subsampled.jpg", "subsampled_progressive.jpg", "restarts.jpg", "three_scans.jpg", "motion.jpg"}) {
        check_decodes(name, jpeg_tolerance);
    }
}

TEST_CASE("a JPEG with arithmetic coding is read with libjpeg; without it, the error names it") {
    for (const char* name : {"arithmetic.jpg", "arithmetic_progressive.jpg"}) {
        if (has_libjpeg) {
            check_decodes(name, jpeg_tolerance);
        } else {
            CHECK(decode_error(read_fixture(name)) ==
                  "test image: JPEG: it has arithmetic coding, which this build does not read "
                  "because it was built without libjpeg");
        }
    }
}

TEST_CASE("a picture with too many pixels is decoded at reduced size") {
    if (!has_libjpeg) return;
    for (const std::string name : {"reduced.jpg", "reduced_progressive.jpg"}) {
        for (const std::size_t reduction : {2U, 4U, 8U}) {
            CAPTURE(reduction);
            const Image expected =
                load_image(fixture(name + "." + std::to_string(reduction) + ".expected.png"));
            ImageOptions options{.full_size_pixels = 150 * 98 - 1, .reduced_short_side = 98 / reduction};
            CHECK(largest_difference(load_image(fixture(name), options), expected) == 0);
            options.full_size_pixels += 1;
            CHECK(load_image(fixture(name), options).width == 150);
            options = {.full_size_pixels = 1, .reduced_short_side = 98 / reduction + 1};
            CHECK(load_image(fixture(name), options).height > 98 / reduction + 1);
        }
    }
}

TEST_CASE("a phone's 200 megapixels are decoded at a quarter of the width and height") {
    if (!has_libjpeg) return;
    constexpr std::size_t width = 16320;
    constexpr std::size_t height = 12240;
    const File frame = joined({0xFF, 0xC0, 0, 11, 8}, joined(number(height, 2), number(width, 2)));
    const File tables = joined({0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0}, File(64, 8));
    const File scan = {1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0};
    File blocks;
    // A block is 00 (no difference from the previous DC) and 1010 (end of block). Four blocks fill three
    // bytes.
    for (std::size_t i = 0; i < width / 8 * (height / 8) / 4; ++i) {
        for (const unsigned byte : {0x28U, 0xA2U, 0x8AU}) blocks.push_back(static_cast<std::uint8_t>(byte));
    }
    const File file = joined(joined(tables, frame), joined(scan, blocks));
    const Image image = vgg19::decode_image(joined(file, {0xFF, 0xD9}), "flat");
    CHECK(image.width == width / 4);
    CHECK(image.height == height / 4);
    CHECK(std::all_of(image.rgb.begin(), image.rgb.end(), [](std::uint8_t sample) { return sample == 128; }));
}

TEST_CASE(
    "WebP, lossy, lossless, with alpha and animated, is read with libwebp; without it, the error names it") {
    for (const char* name :
         {"lossy.webp", "lossless.webp", "lossy_alpha.webp", "lossless_alpha.webp", "animated.webp"}) {
        if (has_libwebp) {
            check_decodes(name, contains(name, "alpha") ? 1 : 0);
        } else {
            CHECK(contains(decode_error(read_fixture(name)),
                           "found a WebP image, which this build does not read"));
        }
    }
}

TEST_CASE("EXIF also rotates PNG and WebP, unless it is ignored") {
    for (const std::string name : {"turned.png", "turned.webp", "orientation6.jpg"}) {
        CAPTURE(name);
        if (name == "turned.webp" && !has_libwebp) continue;
        check_decodes(name, has_libjpeg ? 0 : 3);
        const Image turned = load_image(fixture(name));
        const Image stored = load_image(fixture(name), {.apply_exif = false});
        CHECK(turned.width == 16);
        CHECK(turned.height == 24);
        CHECK(stored.width == 24);
        CHECK(stored.height == 16);
    }
}

TEST_CASE("BMPs of all kinds have Pillow's pixels") {
    for (const char* name :
         {"bits1.bmp",     "bits4.bmp",       "bits8.bmp",     "bits1_top.bmp",  "bits4_top.bmp",
          "bits8_top.bmp", "bits1_os2.bmp",   "bits4_os2.bmp", "bits8_os2.bmp",  "few_colours.bmp",
          "os2_2.bmp",     "runs4.bmp",       "runs8.bmp",     "rgb555.bmp",     "rgb565.bmp",
          "rgb565_v3.bmp", "unused_byte.bmp", "masks32.bmp",   "masks32_v2.bmp", "masks32_swapped.bmp"}) {
        check_decodes(name, 0);
    }
    for (const char* name : {"alpha_v4.bmp", "alpha_v5.bmp"}) check_decodes(name, 1);
}
