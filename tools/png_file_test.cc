#include "tools/png_file.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/testing/error_of.h"
#include "engine/testing/temporary_folder.h"

using namespace vgg19;
using namespace vgg19::tools;
using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

TEST_CASE("a PNG reads back as the pixels that were written, also from rows with gaps") {
    const TemporaryFolder folder;
    constexpr std::size_t height = 5;
    for (const std::size_t width : {std::size_t{1}, std::size_t{7}, std::size_t{300}}) {
        const std::size_t stride = width * 3 + 2;
        std::vector<std::uint8_t> rows(height * stride, 77);
        std::vector<std::uint8_t> expected;
        for (std::size_t y = 0; y < height; ++y) {
            for (std::size_t i = 0; i < width * 3; ++i) {
                rows[y * stride + i] = static_cast<std::uint8_t>(i * i + 31 * y);
                expected.push_back(rows[y * stride + i]);
            }
        }
        write_png(folder / "a.png", {rows.data(), width, height, stride});
        const Image read = load_image(folder / "a.png");
        CHECK(read.width == width);
        CHECK(read.height == height);
        CHECK(read.rgb == expected);
    }
}

TEST_CASE("what cannot be a PNG is refused before any work") {
    const TemporaryFolder folder;
    CHECK(error_of(ErrorKind::usage, [&] { check_png_destination(folder / "a.jpg"); }) ==
          Containing("a.jpg: expected a name that ends in .png"));
    CHECK(error_of(ErrorKind::usage, [&] { check_png_destination(folder.path() / "none" / "a.png"); }) ==
          Containing("none is not a directory"));
    check_png_destination(folder / "A.PNG");
    CHECK(error_of(ErrorKind::usage, [&] { write_png(folder / "a.png", {}); }) == Containing("found 0×0"));
    CHECK_FALSE(std::filesystem::exists(folder / "a.png"));
}
