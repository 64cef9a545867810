#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "engine/image/exif.h"
#include "engine/image/formats.h"
#include "engine/image/testing.h"
#include "engine/testing/temporary_folder.h"
#include "vgg19/error.h"
#include "vgg19/image.h"

using vgg19::Codec;
using vgg19::Error;
using vgg19::ErrorKind;
using vgg19::exif_orientation;
using vgg19::format_of_extension;
using vgg19::Image;
using vgg19::ImageLimits;
using vgg19::load_image;
using vgg19::read_image;
using vgg19::readable_formats;
using vgg19::kernels::testing::GuardedBuffer;
using vgg19::testing::bytes_of;
using vgg19::testing::check_decodes;
using vgg19::testing::contains;
using vgg19::testing::decode;
using vgg19::testing::decode_error;
using vgg19::testing::error_of;
using vgg19::testing::File;
using vgg19::testing::fixture;
using vgg19::testing::joined;
using vgg19::testing::largest_difference;
using vgg19::testing::one_of_each;
using vgg19::testing::png_chunk;
using vgg19::testing::png_header;
using vgg19::testing::read_fixture;
using vgg19::testing::TemporaryFolder;

namespace {

/// With libjpeg the pixels are identical; stb_image rounds differently.
constexpr int jpeg_tolerance = VGG19_HAS_JPEG != 0 ? 0 : 4;

Image upright(const Image& stored, int orientation) {
    const std::function<bool()> never;
    vgg19::Progress progress(never);
    return vgg19::oriented(stored, orientation, progress);
}

std::filesystem::path write(const std::filesystem::path& path, const File& bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path;
}

}  // namespace

TEST_CASE("colour, grey, palettes and 16-bit samples become the 8-bit RGB that Pillow reads") {
    for (const char* name :
         {"rgb.png", "grey.png", "palette.png", "bits1.png", "rgb16.png", "grey16.png", "rgb.bmp", "rgba.bmp",
          "palette.bmp", "rgb.gif", "animated.gif", "rgb.ppm", "grey.pgm"}) {
        check_decodes(name, 0);
    }
}

TEST_CASE("transparent pixels are blended over white") {
    for (const char* name :
         {"rgba.png", "grey_alpha.png", "palette_transparent.png", "colour_key.png", "transparent.gif"}) {
        check_decodes(name, 1);
    }
}

TEST_CASE("a JPEG's pixels equal libjpeg's, or differ only by rounding") {
    for (const char* name : {"rgb.jpg", "grey.jpg", "progressive.jpg"}) check_decodes(name, jpeg_tolerance);
}

TEST_CASE("a CMYK JPEG is read with Adobe's marker and refused without it") {
    check_decodes("cmyk.jpg", jpeg_tolerance);
    File file = read_fixture("cmyk.jpg");
    const std::string adobe = "Adobe";
    const auto marker = std::search(file.begin(), file.end(), adobe.begin(), adobe.end());
    REQUIRE(marker != file.end());
    *marker = 'a';
    CHECK(decode_error(file) ==
          "test image: JPEG: expected 1 or 3 components per pixel, or CMYK with Adobe's marker, found 4 "
          "without it");
}

TEST_CASE("each EXIF orientation is applied") {
    for (int orientation = 1; orientation <= 8; ++orientation) {
        check_decodes("orientation" + std::to_string(orientation) + ".jpg", jpeg_tolerance);
    }
}

TEST_CASE("orientations move pixels as in the EXIF standard") {
    const auto row_of = [](std::uint8_t a, std::uint8_t b) { return File{a, a, a, b, b, b}; };
    const Image stored{row_of(1, 2), 2, 1};
    for (const int orientation : {1, 4, 5, 6}) CHECK(upright(stored, orientation).rgb == row_of(1, 2));
    for (const int orientation : {2, 3, 7, 8}) CHECK(upright(stored, orientation).rgb == row_of(2, 1));
    for (const int orientation : {5, 6, 7, 8}) CHECK(upright(stored, orientation).height == 2);
}

TEST_CASE("an orientation in XMP rotates a JPEG and a PNG, unless EXIF is ignored") {
    const std::string packet = "<rdf:Description tiff:Orientation=\"6\"/>";
    const auto number = [](std::size_t value) {
        return File{static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value)};
    };
    const File jpeg = read_fixture("rgb.jpg");
    const File text = bytes_of(std::string("http://ns.adobe.com/xap/1.0/\0", 29) + packet);
    File with_xmp = joined({0xFF, 0xD8, 0xFF, 0xE1}, joined(number(text.size() + 2), text));
    with_xmp.insert(with_xmp.end(), jpeg.begin() + 2, jpeg.end());

    const File png = read_fixture("rgb.png");
    constexpr std::ptrdiff_t behind_header = 33;
    File png_with_xmp(png.begin(), png.begin() + behind_header);
    png_with_xmp = joined(
        png_with_xmp, png_chunk("iTXt", bytes_of(std::string("XML:com.adobe.xmp\0\0\0\0\0", 22) + packet)));
    png_with_xmp.insert(png_with_xmp.end(), png.begin() + behind_header, png.end());

    const std::pair<const File*, const File*> files[] = {{&jpeg, &with_xmp}, {&png, &png_with_xmp}};
    for (const auto& [plain, turned] : files) {
        const Image expected = upright(vgg19::decode_image(*plain, "plain"), 6);
        CHECK(vgg19::decode_image(*turned, "turned").rgb == expected.rgb);
        CHECK(vgg19::decode_image(*turned, "turned", vgg19::ImageOptions{.apply_exif = false}).rgb ==
              vgg19::decode_image(*plain, "plain").rgb);
    }
}

TEST_CASE("EXIF is read in both byte orders, and an invalid structure means upright") {
    const File little = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0};
    const File big = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0};
    CHECK(exif_orientation(little) == 6);
    CHECK(exif_orientation(big) == 6);
    const File as_long = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 4, 0, 0, 0, 1, 0, 0, 0, 6};
    const File as_byte = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 1, 0, 0, 0, 1, 6, 0, 0, 0};
    CHECK(exif_orientation(as_long) == 6);
    CHECK(exif_orientation(as_byte) == 6);
    CHECK(exif_orientation(joined(bytes_of(std::string("Exif\0\0", 6)), as_long)) == 6);
    // XMP is used where EXIF has no orientation, as in Pillow's ImageOps.exif_transpose.
    const File attribute = bytes_of("<rdf:Description tiff:Orientation=\"8\"/>");
    const File element = bytes_of("<tiff:Orientation>3</tiff:Orientation>");
    CHECK(exif_orientation({}, attribute) == 8);
    CHECK(exif_orientation({}, element) == 3);
    CHECK(exif_orientation(little, attribute) == 6);
    CHECK(exif_orientation({}, bytes_of("tiff:Orientation=\"")) == 1);
    CHECK(exif_orientation({}, bytes_of("tiff:Orientation=\"9\"")) == 1);

    const auto changed = [&](std::size_t offset, std::uint8_t value) {
        File file = little;
        file[offset] = value;
        GuardedBuffer<std::uint8_t> guarded(file.size());
        std::copy(file.begin(), file.end(), guarded.begin());
        return exif_orientation({guarded.data(), guarded.size()});
    };
    CHECK(changed(0, 'M') == 1);    // two byte orders
    CHECK(changed(2, 43) == 1);     // no TIFF
    CHECK(changed(4, 200) == 1);    // a directory beyond the end
    CHECK(changed(7, 0xFF) == 1);   // far beyond the end
    CHECK(changed(8, 0) == 1);      // an empty directory
    CHECK(changed(10, 0x13) == 1);  // another tag
    CHECK(changed(12, 5) == 1);     // a fraction
    CHECK(changed(14, 2) == 1);     // two values
    CHECK(changed(18, 0) == 1);     // no such orientation
    CHECK(changed(18, 9) == 1);

    File long_directory = little;
    long_directory[8] = long_directory[9] = 0xFF;
    long_directory[10] = 0x13;
    CHECK(exif_orientation(long_directory) == 1);
    for (std::size_t size = 0; size < little.size(); ++size) {
        CHECK(exif_orientation({little.data(), size}) == 1);
    }
}

TEST_CASE("PNM samples are scaled from their own largest value") {
    CHECK(decode(bytes_of("P5 2 1 15 \x0F\x05")).rgb == File{255, 255, 255, 85, 85, 85});
    CHECK(decode(bytes_of("P6\n# a remark\n1 1\n1023\n\x03\xFF\x01\xFF\x02\x55")).rgb == File{255, 127, 149});
}

TEST_CASE("a top-down BMP is read") {
    File file = read_fixture("rgb.bmp");
    constexpr std::size_t height_offset = 22;
    REQUIRE(file[height_offset] == 16);
    std::fill_n(file.begin() + height_offset, 4, std::uint8_t{0xFF});
    file[height_offset] = 256 - 16;
    Image image = decode(file);
    CHECK(largest_difference(upright(image, 4), load_image(fixture("rgb.png"))) == 0);
}

TEST_CASE("every limit is checked from the header, before anything is decoded") {
    const std::string claimed = "its header names 65535×65535 pixels, expected at most 1000000 a side";
    const File png =
        joined(png_header(65535, 65535), joined(png_chunk("IDAT", File(9)), png_chunk("IEND", {})));
    CHECK(contains(decode_error(png), "test image: PNG: " + claimed));

    File jpeg = read_fixture("rgb.jpg");
    const std::array<std::uint8_t, 2> start_of_frame = {0xFF, 0xC0};
    const auto frame = std::search(jpeg.begin(), jpeg.end(), start_of_frame.begin(), start_of_frame.end());
    REQUIRE(frame != jpeg.end());
    std::fill_n(frame + 5, 4, std::uint8_t{0xFF});
    CHECK(contains(decode_error(jpeg), "test image: JPEG: " + claimed));

    File gif = read_fixture("rgb.gif");
    std::fill_n(gif.begin() + 6, 4, std::uint8_t{0xFF});
    CHECK(contains(decode_error(gif), "test image: GIF: " + claimed));
    CHECK(contains(decode_error(bytes_of("P6 65535 65535 255 ")), "test image: PPM: " + claimed));
    CHECK(contains(decode_error(bytes_of("P5 30000 30000 255 ")), "and 250000000 in all"));
}

TEST_CASE("limits set by the caller are inclusive") {
    const File file = read_fixture("rgb.png");  // 24 × 16
    CHECK(decode(file, {.max_file_bytes = file.size(), .max_side = 24, .max_pixels = 24 * 16}).width == 24);
    CHECK(contains(decode_error(file, {.max_file_bytes = file.size() - 1}),
                   "expected at most " + std::to_string(file.size() - 1) + " bytes, found"));
    CHECK(contains(decode_error(file, {.max_side = 23}), "expected at most 23 a side"));
    CHECK(contains(decode_error(file, {.max_pixels = 24 * 16 - 1}), "and 383 in all"));
    CHECK(contains(decode_error(file, {.max_irreducible_pixels = 24 * 16 - 1}), "and 383 in all"));
    const File jpeg = read_fixture("rgb.jpg");
    if (VGG19_HAS_JPEG != 0) CHECK(decode(jpeg, {.max_irreducible_pixels = 24 * 16 - 1}).width == 24);
    CHECK(contains(decode_error(jpeg, {.max_pixels = 24 * 16 - 1}), "and 383 in all"));
}

TEST_CASE("bytes after the end of an image are ignored") {
    for (const std::string name : one_of_each) {
        CAPTURE(name);
        const File whole = read_fixture(name);
        CHECK(largest_difference(decode(joined(whole, File(1000, 0xA5))), decode(whole)) == 0);
    }
}

TEST_CASE("files that cannot be read are errors that name them") {
    const TemporaryFolder folder;
    const auto load_error = [](const std::filesystem::path& path, const ImageLimits& limits = {}) {
        std::string message = error_of(ErrorKind::bad_input, [&] { load_image(path, limits); });
        CHECK(message.starts_with(path.string() + ": "));
        return message;
    };
    CHECK(contains(load_error(folder.path() / "missing.jpg"), "no such file"));
    CHECK(contains(load_error(folder.path()), "expected an image, found a directory"));
    CHECK(contains(load_error(folder.path() / "missing.jpg" / "x"), "no such file"));
    CHECK(contains(load_error("/dev/null"), "found an empty file"));
    CHECK(contains(load_error("/dev/zero", {.max_file_bytes = 100'000}),
                   "expected at most 100000 bytes, found more"));
    CHECK(contains(load_error(write(folder / "empty.jpg", {})), "found an empty file"));
    CHECK(contains(load_error(write(folder / "text.jpg", bytes_of("some text"))), "starts with 73 6f"));
    CHECK(
        contains(load_error(fixture("rgb.png"), {.max_file_bytes = 10}), "expected at most 10 bytes, found"));
    CHECK(load_image(write(folder / "png_named.jpg", read_fixture("rgb.png"))).width == 24);
}

TEST_CASE("a picture is read from a FIFO or a stream too, up to the limit for files") {
    const TemporaryFolder folder;
    const File file = read_fixture("rgb.png");
    const std::string path = (folder / "fifo").string();
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const auto load = [&](std::size_t most) {
        std::thread writer([&] { write(path, file); });
        const auto wait = [&] { writer.join(); };
        try {
            const Image image = load_image(path, {.max_file_bytes = most});
            wait();
            return std::to_string(image.width);
        } catch (const Error& error) {
            wait();
            return std::string(error.what());
        }
    };
    CHECK(load(file.size()) == "24");
    CHECK(contains(load(file.size() - 1), "fifo: expected at most"));

    const std::string text(file.begin(), file.end());
    std::istringstream stream("x" + text);
    stream.get();
    CHECK(read_image(stream, "standard input").width == 24);
    std::istringstream too_long(text);
    const auto read_too_long = [&] {
        read_image(too_long, "standard input", {.limits = {.max_file_bytes = 9}});
    };
    CHECK(error_of(ErrorKind::bad_input, read_too_long) ==
          "standard input: expected at most 9 bytes, found more");
    CHECK(contains(error_of(ErrorKind::bad_input, [&] { read_image(stream, "standard input"); }),
                   "found an empty file"));
}

TEST_CASE("extensions are recognised in upper and lower case, and messages list the readable ones") {
    CHECK(format_of_extension(".JPEG")->name == "JPEG");
    CHECK(format_of_extension(".jpg")->is_readable());
    CHECK(format_of_extension(".webp")->is_readable() == (VGG19_HAS_WEBP != 0));
    CHECK(format_of_extension(".Tif")->name == "TIFF");
    CHECK_FALSE(format_of_extension(".tif")->is_readable());
    CHECK(format_of_extension(".heic")->codec == Codec::none);
    for (const char* extension : {"", ".", "jpg", ".jpgg", ".txt"})
        CHECK(format_of_extension(extension) == nullptr);
    CHECK(readable_formats() == (VGG19_HAS_WEBP != 0 ? "JPEG, PNG, BMP, GIF, WebP, PGM or PPM"
                                                     : "JPEG, PNG, BMP, GIF, PGM or PPM"));
}
