// What decoding may cost: work and memory are bounded by the headers, and the caller can end it.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/image/testing.h"
#include "vgg19/image.h"

using vgg19::decode_image;
using vgg19::ErrorKind;
using vgg19::Image;
using vgg19::image_cost;
using vgg19::ImageCost;
using vgg19::ImageOptions;
using vgg19::testing::bytes_of;
using vgg19::testing::contains;
using vgg19::testing::decode;
using vgg19::testing::decode_error;
using vgg19::testing::error_of;
using vgg19::testing::File;
using vgg19::testing::joined;
using vgg19::testing::number;
using vgg19::testing::one_of_each;
using vgg19::testing::png_chunk;
using vgg19::testing::png_header;
using vgg19::testing::read_fixture;
using vgg19::testing::with_png_checksums;

namespace {

File concatenated(const std::vector<File>& parts) {
    File all;
    for (const File& part : parts) {
        for (const std::uint8_t byte : part) all.push_back(byte);
    }
    return all;
}

/// A grey JPEG up to its first scan. All Huffman tables have two codes: 0 means symbol 0, and 10 the other
/// one.
File jpeg_start(std::uint8_t frame_marker, std::uint32_t width, std::uint32_t height) {
    const auto table = [](std::uint8_t kind, std::uint8_t second_symbol) {
        const File lengths = {1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        return concatenated({{0xFF, 0xC4, 0, 21, kind}, lengths, {0, second_symbol}});
    };
    return concatenated({{0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0},
                         File(64, 1),
                         {0xFF, frame_marker, 0, 11, 8},
                         number(height, 2),
                         number(width, 2),
                         {1, 1, 0x11, 0},
                         table(0x00, 1),
                         table(0x10, 0xE0)});  // E0: this block and up to 32,766 after it are empty
}

File scan_header(std::uint8_t first, std::uint8_t last, std::uint8_t bits) {
    return {0xFF, 0xDA, 0, 8, 1, 1, 0, first, last, bits};
}

/// All blocks of the first coefficient are equal: one bit each.
File empty_blocks(std::size_t blocks) {
    return File(blocks / 8 + 1, 0);
}

File progressive_jpeg(std::uint32_t side, int empty_scans) {
    File file = joined(jpeg_start(0xC2, side, side), scan_header(0, 0, 0));
    const std::size_t blocks = std::size_t{side} / 8 * side / 8;
    file = joined(file, empty_blocks(blocks));
    for (int i = 0; i < empty_scans; ++i) {
        file = joined(file, scan_header(1, 63, 0));
        for (std::size_t done = 0; done < blocks; done += 32767) file = joined(file, {0xBF, 0xFF, 0x00});
    }
    return joined(file, {0xFF, 0xD9});
}

/// One that is large enough for many questions.
File large_ppm(std::size_t side) {
    const std::string header = "P6 " + std::to_string(side) + " " + std::to_string(side) + " 255\n";
    return joined(bytes_of(header), File(side * side * 3, 7));
}

}  // namespace

TEST_CASE("the cost of every kind of picture has the size that decoding gives, and at least its memory") {
    std::vector<std::string> names(one_of_each.begin(), one_of_each.end());
    names.insert(names.end(), {"turned.png", "runs8.bmp", "reduced.jpg"});
    if (VGG19_HAS_WEBP != 0) names.insert(names.end(), {"lossy.webp", "lossless_alpha.webp", "turned.webp"});
    for (const std::string& name : names) {
        CAPTURE(name);
        const File file = read_fixture(name);
        for (const bool is_reduced : {false, true}) {
            const ImageOptions options{.full_size_pixels = is_reduced ? 1U : 1'000'000U,
                                       .reduced_short_side = 8};
            const Image image = decode_image(file, name, options);
            const ImageCost cost = image_cost(file, name, options);
            CHECK(cost.width == image.width);
            CHECK(cost.height == image.height);
            CHECK(cost.memory_bytes >= image.rgb.size());
            CHECK(cost.work >= image.width * image.height);
        }
    }
}

TEST_CASE("limits of memory and work are checked before decoding, with both numbers in the message") {
    const File file = large_ppm(100);
    const ImageCost cost = image_cost(file, "grey");
    CHECK(cost.memory_bytes == 30'000);
    CHECK(cost.work == 10'000);
    CHECK(decode(file, {.max_memory_bytes = 30'000, .max_work = 10'000}).width == 100);
    CHECK(decode_error(file, {.max_memory_bytes = 29'999}) ==
          "test image: PPM: decoding it takes up to 30000 bytes of memory, expected at most 29999");
    CHECK(decode_error(file, {.max_work = 9'999}) ==
          "test image: PPM: decoding it takes the work of 10000 pixels, expected at most 9999");
}

TEST_CASE("headers beyond what can be counted are refused, whatever the limits") {
    constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
    const File file = joined(png_header(0xFFFFFFFF, 0xFFFFFFFF), png_chunk("IEND", {}));
    CHECK(contains(decode_error(file, {.max_side = all, .max_pixels = all}), "4294967295×4294967295 pixels"));
}

TEST_CASE("decoding ends when the caller asks for it, before it begins and on the way") {
    for (const std::string name : one_of_each) {
        CAPTURE(name);
        ImageOptions options;
        options.is_cancelled = [] { return true; };
        CHECK(error_of(ErrorKind::cancelled, [&] { decode_image(read_fixture(name), "p", options); }) ==
              "p: " +
                  std::string(contains(name, ".jpg")   ? "JPEG"
                              : contains(name, ".png") ? "PNG"
                              : contains(name, ".bmp") ? "BMP"
                              : contains(name, ".gif") ? "GIF"
                                                       : "PPM") +
                  ": decoding was cancelled");
    }
    int questions = 0;
    ImageOptions options;
    options.is_cancelled = [&] { return ++questions == 3; };
    error_of(ErrorKind::cancelled, [&] { decode_image(large_ppm(1000), "ppm", options); });
    CHECK(questions == 3);
    questions = 0;
    error_of(ErrorKind::cancelled, [&] { decode_image(progressive_jpeg(2000, 12), "jpeg", options); });
    CHECK(questions == 3);
    if (VGG19_HAS_WEBP != 0) {
        options.is_cancelled = [] { return true; };
        error_of(ErrorKind::cancelled, [&] { decode_image(read_fixture("lossy.webp"), "webp", options); });
    }
}

TEST_CASE("what the caller's function throws leaves the decoder") {
    ImageOptions options;
    options.is_cancelled = []() -> bool { throw std::runtime_error("the caller's own"); };
    for (const char* name : {"rgb.jpg", "progressive.jpg", "rgb.png", "rgb.gif"}) {
        CHECK_THROWS_WITH_AS(decode_image(read_fixture(name), "picture", options), "the caller's own",
                             std::runtime_error);
    }
}

TEST_CASE("a JPEG with empty scans is decoded as long as its pixels explain the work") {
    CHECK(decode(progressive_jpeg(256, 12)).width == 256);
    CHECK(decode(progressive_jpeg(2000, 12)).width == 2000);
    CHECK(contains(decode_error(progressive_jpeg(2000, 190)), "191 scans visit"));
    const ImageCost few = image_cost(progressive_jpeg(2000, 2), "few");
    const ImageCost many = image_cost(progressive_jpeg(2000, 12), "many");
    CHECK(many.work > 2 * few.work);
    CHECK(few.memory_bytes > std::size_t{2000} * 2000 * 5);  // pixels and coefficients
}

TEST_CASE("a JPEG whose scan has fewer bits than blocks is cut short, which shows before decoding") {
    for (const std::uint8_t frame : {std::uint8_t{0xC0}, std::uint8_t{0xC2}}) {
        const File start = joined(jpeg_start(frame, 15'000, 16'000),
                                  scan_header(0, frame == 0xC0 ? std::uint8_t{63} : std::uint8_t{0}, 0));
        const File few = concatenated({start, File(900, 0), {0xFF, 0xD9}});
        CHECK(contains(decode_error(few), "has 900 bytes, too few for its 3748125 blocks of pixels"));
        CHECK(contains(error_of(ErrorKind::bad_input, [&] { image_cost(few, "few"); }), "it is cut short"));
    }
    // Coefficients other than the first can be left out with next to no data, but not the first.
    const File none = concatenated(
        {jpeg_start(0xC2, 15'000, 16'000), scan_header(1, 63, 0), {0xBF, 0xFF, 0x00}, {0xFF, 0xD9}});
    CHECK(contains(decode_error(none), "a component of its pixels has no scan"));
}

TEST_CASE("arithmetic codes can be arbitrarily short, so that the data must explain the work") {
    const File start = joined(jpeg_start(0xC9, 15'000, 16'000), scan_header(0, 63, 0));
    const File file = concatenated({start, File(900, 0), {0xFF, 0xD9}});
    CHECK(contains(decode_error(file), "1 scans visit 3750000 blocks of pixels with 900 bytes of data"));
}

TEST_CASE("a GIF is read up to its last pixel: what follows is not unpacked") {
    // One pixel, index 1: codes of 3 bits, 4 (clear), 1; then invalid codes.
    const File header =
        bytes_of(std::string("GIF89a\1\0\1\0\x80\0\0\0\0\0\xC8\x64\x32,\0\0\0\0\1\0\1\0\0\2", 30));
    const File block = joined({255, 0x0C}, File(254, 0xFF));
    File file = header;
    for (int i = 0; i < 1000; ++i) file = joined(file, block);
    CHECK(decode(file).rgb == File{0xC8, 0x64, 0x32});
}

TEST_CASE("a GIF whose picture has no pixels is the canvas, wherever the picture lies on it") {
    const File start = bytes_of(std::string("GIF89a\2\0\2\0\x80\0\0\0\0\0\xC8\x64\x32,", 20));
    const File canvas(12, 255);
    for (const auto& [left, top, width, height] : std::vector<std::array<std::uint8_t, 4>>{
             {0, 0, 0, 0}, {2, 2, 0, 0}, {2, 0, 0, 2}, {2, 1, 0, 1}, {0, 2, 2, 0}, {2, 0, 0, 0}}) {
        INFO("at ", int{left}, ",", int{top}, " of ", int{width}, "x", int{height});
        const File header = joined(start, {left, 0, top, 0, width, 0, height, 0, 0, 2});
        CHECK(decode(joined(header, {2, 0x4C, 0x01, 0, ';'})).rgb == canvas);
    }
}

TEST_CASE("runs beyond the end of a BMP's row cost nothing") {
    File file = read_fixture("runs8.bmp");
    const std::size_t pixels = file[10] + file[11] * 256U;
    file.resize(pixels);
    for (int i = 0; i < 1'000'000; ++i) file.push_back(i % 2 == 0 ? std::uint8_t{255} : std::uint8_t{1});
    int questions = 0;
    ImageOptions options;
    options.is_cancelled = [&] { return ++questions > 100'000; };
    const std::string error = error_of(ErrorKind::bad_input, [&] { decode_image(file, "runs", options); });
    CHECK(contains(error, "it is cut short"));
}

TEST_CASE("a PNG takes little more memory than its pixels, whatever its samples") {
    const auto png = [](std::uint8_t bits, std::uint8_t colour) {
        File file = joined(png_header(1000, 1000), png_chunk("IDAT", File(20)));
        file[24] = bits;
        file[25] = colour;
        return with_png_checksums(joined(file, png_chunk("IEND", {})));
    };
    const std::size_t rgba_of_16_bits = image_cost(png(16, 6), "deep").memory_bytes;
    CHECK(rgba_of_16_bits >= 3'000'000);
    if (VGG19_HAS_ZLIB != 0) CHECK(rgba_of_16_bits < 3'100'000);
    CHECK(rgba_of_16_bits < 13'000'000);
    CHECK(image_cost(png(8, 2), "flat").memory_bytes <= rgba_of_16_bits);
}
