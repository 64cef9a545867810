// The kinds of each format, as cameras, phones and other programs write them, against Pillow.
#include <doctest/doctest.h>

#include <string>

#include "engine/image/testing.h"
#include "vgg19/image.h"

using vgg19::Image;
using vgg19::ImageOptions;
using vgg19::load_image;
using vgg19::testing::check_decodes;
using vgg19::testing::contains;
using vgg19::testing::decode_error;
using vgg19::testing::fixture;
using vgg19::testing::largest_difference;
using vgg19::testing::read_fixture;

namespace {

constexpr bool has_libjpeg = VGG19_HAS_JPEG != 0;
constexpr bool has_libwebp = VGG19_HAS_WEBP != 0;

/// libjpeg's own pixels, or stb_image's, which smooths colours of half the size in another way.
constexpr int jpeg_tolerance = has_libjpeg ? 0 : 12;

}  // namespace

TEST_CASE("JPEGs of all kinds have Pillow's pixels") {
    for (const char* name :
         {"subsampled.jpg", "subsampled_progressive.jpg", "restarts.jpg", "three_scans.jpg", "motion.jpg"}) {
        check_decodes(name, jpeg_tolerance);
    }
}

TEST_CASE("a JPEG with arithmetic coding is read with libjpeg, and named without it") {
    for (const char* name : {"arithmetic.jpg", "arithmetic_progressive.jpg"}) {
        if (has_libjpeg) {
            check_decodes(name, jpeg_tolerance);
        } else {
            CHECK(decode_error(read_fixture(name)) ==
                  "test image: JPEG: it has arithmetic coding, which this build does not read, for want of "
                  "libjpeg");
        }
    }
}

TEST_CASE("a picture of more pixels than asked for is decoded at a fraction of its sides") {
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

TEST_CASE("WebP, lossy, lossless, with alpha and moving, is read with libwebp and named without it") {
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

TEST_CASE("EXIF turns PNG and WebP too, unless it is to be ignored") {
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
