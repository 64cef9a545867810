#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/image/checksums.h"
#include "engine/image/formats.h"
#include "engine/image/testing.h"
#include "kernels/common/testing/random.h"
#include "vgg19/error.h"
#include "vgg19/image.h"

using vgg19::decode_image;
using vgg19::Error;
using vgg19::ErrorKind;
using vgg19::Image;
using vgg19::ImageLimits;
using vgg19::readable_formats;
using vgg19::kernels::testing::Random;
using vgg19::testing::bytes_of;
using vgg19::testing::contains;
using vgg19::testing::decode;
using vgg19::testing::decode_error;
using vgg19::testing::File;
using vgg19::testing::joined;
using vgg19::testing::largest_difference;
using vgg19::testing::number;
using vgg19::testing::one_of_each;
using vgg19::testing::png_checksum;
using vgg19::testing::png_chunk;
using vgg19::testing::png_header;
using vgg19::testing::read_fixture;
using vgg19::testing::with_png_checksums;

TEST_CASE("the error for a file that is not an image shows its first bytes") {
    CHECK(decode_error({}) == "test image: expected an image, found an empty file");
    CHECK(decode_error(bytes_of("Hello, world")) == "test image: expected a " + readable_formats() +
                                                        ", found a file that starts with"
                                                        " 48 65 6c 6c 6f 2c 20 77");
    CHECK(contains(decode_error(File(1000)), "starts with 00 00 00 00 00 00 00 00"));
    CHECK(contains(decode_error({0xFF}), "starts with ff"));
    CHECK(
        contains(decode_error({0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 24, 0}), "found a TGA image"));
    CHECK(contains(decode_error({0, 0, 2, 0, 1, 0, 32, 32, 0, 0}), "found a cursor (CUR)"));
    CHECK(contains(decode_error({0, 5, 0x16, 7, 0, 2, 0, 0}),
                   "the picture is the file without ._ in its name"));
    CHECK(contains(decode_error(bytes_of("/9j/4AAQSkZJRg")), "found a JPEG in Base64; decode it first"));
    CHECK(contains(decode_error({0x1F, 0x8B, 8, 0}), "found a gzip file; unpack it first"));
    const std::string apple("\x89PNG\r\n\x1A\n\0\0\0\4CgBIP\0\x20\2\x2B\xD5\xB3\x7F", 24);
    CHECK(contains(decode_error(bytes_of(apple)), "Apple's own kind of PNG (CgBI)"));
}

TEST_CASE("a PNG that unpacks to far more than its size requires is refused without allocation") {
    // One pixel according to the header, but 8 MB of data.
    CHECK(
        contains(decode_error(read_fixture("bomb.png")), "unpacks to more data than the size in its header"));
}

TEST_CASE("a truncated image is an error, not grey pixels") {
    for (const std::string name : one_of_each) {
        CAPTURE(name);
        const File whole = read_fixture(name);
        // Only the first picture of a GIF is read, so its later part is not needed; the last row of a BMP may
        // end in padding.
        const std::size_t needed = name == "animated.gif" ? whole.size() / 3 : whole.size() - 4;
        for (std::size_t size = 0; size < needed; size += size < 64 ? 1 : 13) {
            CAPTURE(size);
            CHECK_FALSE(
                decode_error({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}).empty());
        }
    }
}

TEST_CASE("the error for a truncated file says so") {
    const auto cut = [](const std::string& name, std::size_t by) {
        const File whole = read_fixture(name);
        return File(whole.begin(), whole.end() - static_cast<std::ptrdiff_t>(by));
    };
    const File jpeg = cut("rgb.jpg", 20);
    CHECK(decode_error(jpeg) ==
          "test image: JPEG: it is cut short: the picture goes on where the file ends, after " +
              std::to_string(jpeg.size()) + " bytes");
    CHECK(contains(decode_error(File(jpeg.begin(), jpeg.begin() + 100)), "but the file ends after"));
    CHECK(contains(decode_error(cut("progressive.jpg", 50)), "it is cut short"));
    CHECK(contains(decode_error(cut("rgb.png", 13)), "passes the end of the file"));
    CHECK(contains(decode_error(cut("rgb.png", 12)), "found the end of the file: it is cut short"));
    CHECK(contains(decode_error(cut("rgb.bmp", 100)), "test image: BMP: it is cut short"));
    CHECK(contains(decode_error(cut("rgb.gif", 100)), "test image: GIF: it is cut short"));
    CHECK(contains(decode_error(cut("rgb.ppm", 1)), "expected 1152 bytes of pixels, found 1151"));
}

TEST_CASE("a JPEG with a complete thumbnail but a truncated picture is an error") {
    const File whole = read_fixture("rgb.jpg");
    const File exif = joined(bytes_of(std::string("Exif\0\0", 6)), whole);  // a JPEG with its own end inside
    const File segment =
        joined({0xFF, 0xE1}, joined(number(static_cast<std::uint32_t>(exif.size()) + 2, 2), exif));
    const File rest(whole.begin() + 2, whole.end());
    const File file = joined({0xFF, 0xD8}, joined(segment, rest));
    CHECK(largest_difference(decode(file), decode(whole)) == 0);
    CHECK(contains(decode_error({file.begin(), file.end() - 200}), "it is cut short"));
}

TEST_CASE("errors in a header are in the message") {
    const auto png = [](const File& chunks) { return joined(png_header(2, 2), chunks); };
    CHECK(contains(decode_error(png(png_chunk("WILD", {}))),
                   "chunk at offset 33: critical chunk of unknown type WILD"));
    CHECK(contains(decode_error(png(joined(number(0xFFFFFFFF, 4), File(20)))), "chunk at offset 33"));
    CHECK(contains(decode_error(png(png_chunk("IEND", {}))), "test image: PNG: no IDAT"));
    CHECK(contains(decode_error(joined(bytes_of("\x89PNG\r\n\x1A\n"), png_chunk("IEND", {}))),
                   "chunk at offset 8: expected IHDR of 13 bytes, found IEND of 0"));
    CHECK(contains(decode_error(joined(png_header(0, 7), png_chunk("IEND", {}))),
                   "its header names 0×7 pixels, expected at least one"));
    CHECK(contains(decode_error(bytes_of("P6 0 4 255 ")), "offset 3: expected the width, a positive number"));
    CHECK(contains(decode_error(bytes_of("P6 4 -4 255 ")), "offset 5: expected the height"));
    CHECK(contains(decode_error(bytes_of("P6 4 4 65536 ")),
                   "expected a largest sample of at most 65535, found 65536"));
    CHECK(contains(decode_error(bytes_of("P6 99999999999999999999 4 255 ")), "expected the width"));
    CHECK(contains(decode_error(bytes_of("P5 1 1 7 \x08")),
                   "offset 9: expected a sample of at most 7, found 8"));
}

TEST_CASE("a JPEG's Huffman table with too many symbols does not reach the decoder") {
    File file = read_fixture("rgb.jpg");
    const std::array<std::uint8_t, 2> define_tables = {0xFF, 0xC4};
    const auto table = std::search(file.begin(), file.end(), define_tables.begin(), define_tables.end());
    REQUIRE(table != file.end());
    std::fill_n(table + 5, 16, std::uint8_t{0xFF});
    CHECK(contains(decode_error(file), "a Huffman table of 4080 symbols, expected at most 256"));

    const File whole = read_fixture("rgb.jpg");
    const File counts = joined({0, 200, 100}, File(14));  // one table, with a segment that holds its symbols
    const File segment = joined(joined({0xFF, 0xC4}, number(2 + 17 + 300, 2)), joined(counts, File(300)));
    const File padding_first = joined({0xFF, 0xD8, 0xFF}, joined(segment, {whole.begin() + 2, whole.end()}));
    CHECK(contains(decode_error(padding_first), "a Huffman table of 300 symbols, expected at most 256"));
}

TEST_CASE("a JPEG's scan with an undefined table is an error") {
    struct Case {
        std::string name;
        std::uint8_t marker;  ///< segments with this marker become comments, from number `first` on
        int first;
        std::string reason;
    };
    constexpr std::uint8_t huffman = 0xC4;
    constexpr std::uint8_t quantization = 0xDB;
    for (const Case& removed :
         {Case{"rgb.jpg", quantization, 0,
               "a scan with quantisation table 0, which no segment before it defines"},
          Case{"rgb.jpg", quantization, 1, "a scan with quantisation table 1, which"},
          Case{"rgb.jpg", huffman, 1, "a scan with AC Huffman table 0, which"},
          Case{"progressive.jpg", huffman, 0, "a scan with DC Huffman table 0, which"},
          Case{"progressive.jpg", huffman, 1, "a scan with DC Huffman table 1, which"},
          Case{"progressive.jpg", huffman, 2, "a scan with AC Huffman table 0, which"}}) {
        CAPTURE(removed.name);
        CAPTURE(removed.reason);
        File file = read_fixture(removed.name);
        int index = 0;
        for (std::size_t i = 0; i + 1 < file.size(); ++i) {
            if (file[i] != 0xFF || file[i + 1] != removed.marker) continue;
            if (index++ >= removed.first) file[i + 1] = 0xFE;
        }
        CHECK(index > removed.first);
        CHECK(contains(decode_error(file), removed.reason));
    }
}

TEST_CASE("a PNG with a wrong checksum is an error; a wrong ancillary chunk is ignored") {
    const auto find = [](const File& file, std::string_view type) {
        const auto found = std::search(file.begin(), file.end(), type.begin(), type.end());
        REQUIRE(found != file.end());
        return static_cast<std::size_t>(found - file.begin());
    };
    const auto checksum_of = [&](const File& file, std::size_t type) {
        return type + 4 + (file[type - 2] * 256U + file[type - 1]);
    };
    for (const char* type : {"IHDR", "PLTE", "IDAT", "IEND"}) {
        File file = read_fixture("palette_transparent.png");
        file[checksum_of(file, find(file, type)) + 1] ^= 1U;
        CHECK(contains(decode_error(file),
                       "the checksum (CRC-32) of " + std::string(type) + " is wrong: the file is damaged"));
    }
    File data = read_fixture("rgb.png");
    data[find(data, "IDAT") + 30] ^= 1U;
    CHECK(contains(decode_error(data), "the checksum (CRC-32) of IDAT is wrong"));

    File transparent = read_fixture("palette_transparent.png");
    transparent[checksum_of(transparent, find(transparent, "tRNS"))] ^= 1U;
    CHECK(largest_difference(decode(transparent), decode(read_fixture("palette.png"))) == 0);
    File turned = read_fixture("turned.png");
    turned[checksum_of(turned, find(turned, "eXIf"))] ^= 1U;
    CHECK(decode(turned).width == 24);
}

TEST_CASE("a PNG with a wrong or missing checksum of its data is an error") {
    // Two grey pixels, uncompressed: the zlib header, a block of 3 bytes (a filter type and the pixels), the
    // checksum.
    const File stream = {0x78, 1, 1, 3, 0, 0xFC, 0xFF, 0, 7, 9, 0, 0x1A, 0, 0x11};
    const auto png = [](const File& data) {
        return joined(joined(png_header(2, 1), png_chunk("IDAT", data)), png_chunk("IEND", {}));
    };
    CHECK(decode(png(joined(stream, {}))).rgb == File{7, 7, 7, 9, 9, 9});
    CHECK(decode(png(joined(stream, {1, 2, 3}))).rgb == File{7, 7, 7, 9, 9, 9});
    for (std::size_t i = 10; i < 14; ++i) {
        File wrong = stream;
        wrong[i] ^= 4U;
        CHECK(
            contains(decode_error(png(wrong)), "the data's checksum (Adler-32) is wrong: they are damaged"));
        CHECK(
            contains(decode_error(png(File(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(i)))),
                     "the data end before their checksum"));
    }
}

TEST_CASE("a compressed PNG's checksum is found, even if the decoder has read ahead") {
    for (const char* name : {"rgb.png", "grey.png", "palette.png", "rgb16.png", "bits1.png", "smooth.png"}) {
        CAPTURE(name);
        const File file = read_fixture(name);
        const std::string_view type = "IDAT";
        const auto found = std::search(file.begin(), file.end(), type.begin(), type.end());
        const auto length = static_cast<std::ptrdiff_t>(
            file[static_cast<std::size_t>(found - file.begin()) - 2] * 256 + found[-1]);
        File data(found + 4, found + 4 + length);
        for (std::size_t bit = 0; bit < 32; bit += 5) {
            File wrong = data;
            wrong[wrong.size() - 1 - bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
            const File start(file.begin(), found - 4);
            const File with_wrong = joined(joined(start, png_chunk("IDAT", wrong)), png_chunk("IEND", {}));
            CHECK(contains(decode_error(with_wrong), "Adler-32"));
        }
    }
}

TEST_CASE("checksums of data of every length match the standards") {
    CHECK(vgg19::crc32(bytes_of("123456789")) == 0xCBF43926);  // the value that lists of such sums give
    CHECK(vgg19::adler32(bytes_of("Wikipedia")) == 0x11E60398);
    Random random;
    INFO(random.replay());
    File bytes;
    for (int length = 0; length < 70; ++length) {
        CHECK(vgg19::crc32(bytes) == png_checksum(bytes));
        bytes.push_back(static_cast<std::uint8_t>(random.integer(0, 255)));
    }
    const File long_and_high(100'000, 0xFF);  // sums that would not fit without being reduced
    std::uint64_t sum = 1;
    std::uint64_t sum_of_sums = 0;
    for (const std::uint8_t byte : long_and_high) sum_of_sums += sum += byte;
    CHECK(vgg19::adler32(long_and_high) == (sum_of_sums % 65521 << 16U | sum % 65521));
}

TEST_CASE("the error for unsupported formats names them and says what to do") {
    const auto bytes = [](std::string_view text) { return joined(bytes_of(text), File(40)); };
    const auto zeros = [](std::string_view start) { return std::string(start) + std::string(16, '\0'); };
    struct Case {
        std::string start;
        std::string found;
    };
    for (const Case& each : {
             Case{std::string("\0\0\0\x1C", 4) + "ftypavif",
                  "found an AVIF image; convert it to JPEG or PNG first"},
             Case{std::string("\0\0\0\x18", 4) + "ftypheic",
                  "found a HEIC image; convert it to JPEG or PNG first"},
             Case{std::string("\0\0\0\x18", 4) + "ftypmif1", "found a HEIF (HEIC or AVIF) image; convert"},
             Case{std::string("\0\0\0\x18", 4) + "ftypmp42",
                  "found a video (MP4 or QuickTime); save a frame"},
             Case{std::string("II*\0", 4), "found a TIFF or camera raw image; convert"},
             Case{std::string("MM\0*", 4), "found a TIFF or camera raw image; convert"},
             Case{std::string("\0\0\0\x0CjP  \r\n\x87\n", 12), "found a JPEG 2000 image; convert"},
             Case{"\xFF\x0A", "found a JPEG XL image; convert"},
             Case{"8BPS", "found a Photoshop image (PSD); convert"},
             Case{std::string("\0\0\1\0", 4), "found an icon (ICO); convert"},
             Case{"%PDF-1.7", "found a PDF document; convert"},
             Case{"<svg xmlns", "found an SVG drawing; convert"},
             Case{"\xEF\xBB\xBF<?xml version='1.0'?>\n<!-- by hand -->\n<!DOCTYPE svg>\n<SVG ",
                  "found an SVG drawing"},
             Case{"\n<!DOCTYPE HTML><html>", "found an HTML page in place of a picture"},
             Case{"<html lang='en'>", "found an HTML page in place of a picture"},
             Case{"<data>", "found an XML file"},
             Case{"version https://git-lfs.github.com/spec/v1\n",
                  "found a Git LFS pointer in place of a picture; `git lfs pull`"},
             Case{"P3\n1 1\n", "found a PPM image (text); convert"},
             Case{"P4 8 1 ", "found a PBM image; convert"},
             Case{"RIFF    AVI ", "found a video (AVI); save a frame"},
             Case{"P3 is no picture", "found a PPM image (text)"},
             Case{"P3is no picture", "found a file that starts with 50 33"},
             Case{"<!-- a comment that does not end", "found a file that starts with 3c 21"},
         }) {
        CAPTURE(each.start);
        CHECK(contains(decode_error(bytes(zeros(each.start))), each.found));
        CHECK_FALSE(decode_error(bytes_of(each.start)).empty());
    }
}

TEST_CASE("a truncated or unsupported BMP is an error that says so") {
    for (const char* name :
         {"runs4.bmp", "runs8.bmp", "rgb565.bmp", "masks32.bmp", "alpha_v5.bmp", "bits1_os2.bmp"}) {
        CAPTURE(name);
        const File whole = read_fixture(name);
        for (std::size_t size = 2; size + 6 < whole.size(); size += size < 160 ? 1 : 7) {
            CAPTURE(size);
            CHECK(contains(decode_error({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}),
                           "it is cut short"));
        }
    }
    const auto changed = [](std::size_t offset, std::uint8_t value) {
        File file = read_fixture("rgb.bmp");
        file[offset] = value;
        return decode_error(file);
    };
    CHECK(contains(changed(14, 41),
                   "expected a header of 12, 16, 40, 52, 56, 64, 108 or 124 bytes, found one of 41"));
    CHECK(contains(changed(10, 20), "its pixels begin at offset 20, inside its header"));
    CHECK(contains(changed(28, 7), "found 7 bits per pixel with no compression, which is not supported"));
    CHECK(contains(changed(30, 1), "found 24 bits per pixel with run lengths of 8 bits"));
    CHECK(contains(changed(30, 4), "found 24 bits per pixel with a JPEG inside"));
    CHECK(contains(changed(30, 9), "found 24 bits per pixel with compression 9"));
    CHECK(contains(changed(21, 0x80), "expected at most"));  // a negative width
    File masks = read_fixture("masks32.bmp");
    masks[54] = 5;
    CHECK(contains(decode_error(masks), "the bits of a colour's mask are not contiguous"));
    std::fill_n(masks.begin() + 54, 12, std::uint8_t{0});
    CHECK(contains(decode_error(masks), "no colour has a mask"));
}

TEST_CASE("a GIF without a picture is an error") {
    const std::string_view gif("GIF89a\1\0\1\0\0\0\0;", 14);
    CHECK(decode_error(bytes_of(gif)) == "test image: GIF: it holds no picture");
}

TEST_CASE("files with flipped bytes give an image or an Error, nothing else") {
    Random random;
    INFO(random.replay());
    const ImageLimits limits = {.max_side = 1000, .max_pixels = 100'000};
    std::vector<std::string> names(one_of_each.begin(), one_of_each.end());
    for (const char* name :
         {"arithmetic.jpg", "arithmetic_progressive.jpg", "restarts.jpg", "three_scans.jpg", "motion.jpg",
          "lossy_alpha.webp", "lossless_alpha.webp", "animated.webp", "turned.png", "runs4.bmp", "runs8.bmp",
          "rgb565_v3.bmp", "alpha_v5.bmp", "bits4_os2.bmp", "masks32.bmp"}) {
        names.emplace_back(name);
    }
    for (const std::string& name : names) {
        CAPTURE(name);
        const File whole = read_fixture(name);
        for (int round = 0; round < 150; ++round) {
            File file = whole;
            for (int flips = random.integer(1, 8); flips > 0; --flips) {
                const int offset = random.integer(0, static_cast<int>(file.size()) - 1);
                file[static_cast<std::size_t>(offset)] = static_cast<std::uint8_t>(random.integer(0, 255));
            }
            if (contains(name, ".png")) file = with_png_checksums(file);
            try {
                const Image image = decode(file, limits);
                CHECK(image.rgb.size() == image.width * image.height * 3);
            } catch (const Error& error) {
                CHECK(error.kind() == ErrorKind::bad_input);
            }
        }
    }
}

TEST_CASE("threads decode good and bad files at the same time, each with its own error") {
    const File unknown_chunk = joined(png_header(2, 2), png_chunk("WILD", {}));
    const File no_data = joined(png_header(2, 2), png_chunk("IEND", {}));
    const File good = read_fixture("rgb.jpg");
    const auto error_message = [](const File& file) {
        try {
            decode_image(file, "image");
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    std::array<bool, 3> right = {true, true, true};
    std::array<std::thread, 3> threads;
    for (std::size_t t = 0; t < threads.size(); ++t) {
        threads[t] = std::thread([&, t] {
            for (int i = 0; i < 100; ++i) {
                right[t] = right[t] && contains(error_message(unknown_chunk), "WILD") &&
                           contains(error_message(no_data), "no IDAT") && error_message(good).empty();
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(right == std::array<bool, 3>{true, true, true});
}
