// PNG's filters and interlacing, on hand-made files. script/torture pictures compares every kind with Pillow.
#include <doctest/doctest.h>

#include <array>
#include <string>

#include "engine/image/checksums.h"
#include "engine/image/png_samples.h"
#include "engine/image/testing.h"
#include "vgg19/image.h"

using vgg19::Image;
using vgg19::undo_png_filter;
using vgg19::testing::contains;
using vgg19::testing::decode;
using vgg19::testing::decode_error;
using vgg19::testing::File;
using vgg19::testing::joined;
using vgg19::testing::number;
using vgg19::testing::png_chunk;
using vgg19::testing::png_header;
using vgg19::testing::with_png_checksums;

namespace {

/// A zlib stream of one block that is not compressed.
File stored(const File& data) {
    const auto length = static_cast<std::uint8_t>(data.size());
    const File start = {0x78, 1, 1, length, 0, static_cast<std::uint8_t>(~length), 0xFF};
    return joined(joined(start, data), number(vgg19::adler32(data), 4));
}

File png(std::uint32_t width, std::uint32_t height, bool is_interlaced, const File& data) {
    File header = png_header(width, height);
    header[28] = is_interlaced ? 1 : 0;
    const File chunks = joined(png_chunk("IDAT", stored(data)), png_chunk("IEND", {}));
    return with_png_checksums(joined(header, chunks));
}

}  // namespace

TEST_CASE("each filter is undone as the standard defines it") {
    const File above = {130, 183, 14, 238, 127, 26};
    const File filtered = {80, 57, 190, 240, 126, 194};
    // Pixels of two bytes: the first two have nothing on the left.
    const std::array<File, 5> expected = {{{80, 57, 190, 240, 126, 194},
                                           {80, 57, 14, 41, 140, 235},
                                           {210, 240, 204, 222, 253, 220},
                                           {145, 148, 13, 177, 196, 39},
                                           {210, 240, 64, 224, 253, 220}}};
    for (unsigned filter = 0; filter < 5; ++filter) {
        CAPTURE(filter);
        File row = filtered;
        CHECK(undo_png_filter(filter, row, above, 2));
        CHECK(row == expected[filter]);
    }
    File row = filtered;
    CHECK_FALSE(undo_png_filter(5, row, above, 2));
    CHECK(contains(decode_error(png(1, 1, false, {5, 7})), "row 0: found filter 5, expected 0 to 4"));
}

TEST_CASE("an interlaced picture is put together, also if some of its passes have no pixels") {
    struct Pass {
        std::size_t left, top, across, down;
    };
    constexpr std::array<Pass, 7> passes = {
        {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}};
    for (std::uint32_t width = 1; width <= 9; ++width) {
        for (std::uint32_t height = 1; height <= 9; ++height) {
            CAPTURE(width);
            CAPTURE(height);
            File data;
            for (const auto& [left, top, across, down] : passes) {
                for (std::size_t y = top; left < width && y < height; y += down) {
                    data.push_back(0);
                    for (std::size_t x = left; x < width; x += across) {
                        data.push_back(static_cast<std::uint8_t>(16 * y + x));
                    }
                }
            }
            const Image image = decode(png(width, height, true, data));
            REQUIRE(image.rgb.size() == std::size_t{3} * width * height);
            bool is_right = true;
            for (std::size_t i = 0; i < image.rgb.size(); ++i) {
                is_right = is_right && image.rgb[i] == 16 * (i / 3 / width) + i / 3 % width;
            }
            CHECK(is_right);
        }
    }
}
