// JPEGs that violate the standard: which are repaired, and which are refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "engine/image/testing.h"
#include "vgg19/image.h"

using vgg19::load_image;
using vgg19::testing::bytes_of;
using vgg19::testing::contains;
using vgg19::testing::decode;
using vgg19::testing::decode_error;
using vgg19::testing::File;
using vgg19::testing::fixture;
using vgg19::testing::joined;
using vgg19::testing::largest_difference;
using vgg19::testing::number;
using vgg19::testing::read_fixture;

namespace {

constexpr bool has_libjpeg = VGG19_HAS_JPEG != 0;

File without_end_marker(const std::string& name) {
    const File file = read_fixture(name);
    REQUIRE(file.back() == 0xD9);
    return {file.begin(), file.end() - 2};
}

File::iterator find(File& file, const File& bytes, int index = 0) {
    auto found = std::search(file.begin(), file.end(), bytes.begin(), bytes.end());
    for (; index > 0; --index) found = std::search(found + 1, file.end(), bytes.begin(), bytes.end());
    REQUIRE(found != file.end());
    return found;
}

File with_kind_of_frame(std::uint8_t kind) {
    File file = read_fixture("rgb.jpg");
    find(file, {0xFF, 0xC0})[1] = kind;
    return file;
}

}  // namespace

TEST_CASE("a JPEG without an end marker is read if all its pixels are there") {
    for (const std::string name : {"rgb.jpg", "grey.jpg", "progressive.jpg", "subsampled.jpg", "restarts.jpg",
                                   "three_scans.jpg", "motion.jpg"}) {
        if (name == "restarts.jpg" && !has_libjpeg) continue;
        const auto expected = load_image(fixture(name));
        const File file = without_end_marker(name);
        for (const File& rest : {File{}, File{0xFF}, bytes_of("SEFH trailer of a phone"), File(1000, 0),
                                 File{0xFF, 0x3C, 0xFF, 0xFF}, read_fixture("grey.jpg"),
                                 File{0xFF, 0xE2, 0xFF, 0x00}, File{0xFF, 0xDB}}) {
            CAPTURE(name);
            CAPTURE(rest.size());
            CHECK(largest_difference(decode(joined(file, rest)), expected) == 0);
        }
    }
}

TEST_CASE("a JPEG without an end marker and some pixels is truncated") {
    for (const std::string name : {"rgb.jpg", "grey.jpg", "progressive.jpg", "subsampled.jpg", "restarts.jpg",
                                   "three_scans.jpg", "motion.jpg"}) {
        const File file = without_end_marker(name);
        for (std::size_t cut = 3; cut < 60; ++cut) {
            CAPTURE(name);
            CAPTURE(cut);
            const std::string error =
                decode_error({file.begin(), file.end() - static_cast<std::ptrdiff_t>(cut)});
            CHECK(contains(error, "it is cut short"));
        }
    }
}

TEST_CASE("missing scans are detected despite an end marker") {
    File file = read_fixture("three_scans.jpg");
    file.erase(find(file, {0xFF, 0xDA}, 2), file.end());
    CHECK(contains(decode_error(file), "it is cut short"));
    File progressive = read_fixture("progressive.jpg");
    progressive.erase(find(progressive, {0xFF, 0xDA}, 5), progressive.end());
    CHECK(contains(decode_error(progressive), "it is cut short"));
}

TEST_CASE("further pictures in the file, as in phones and panoramas, are ignored") {
    const File first = read_fixture("rgb.jpg");
    CHECK(largest_difference(decode(joined(first, read_fixture("grey.jpg"))), decode(first)) == 0);
}

TEST_CASE("stray bytes before restart markers, and equal marker numbers, are tolerated with libjpeg") {
    if (!has_libjpeg) return;
    const File whole = read_fixture("restarts.jpg");
    File stray;
    File alike;
    int restarts = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        const bool is_restart = i + 1 < whole.size() && whole[i] == 0xFF && whole[i + 1] / 8U == 0xD0 / 8U;
        if (is_restart) stray.insert(stray.end(), {0x00, 0x12, 0x34});
        stray.push_back(whole[i]);
        alike.push_back(i > 0 && whole[i - 1] == 0xFF && whole[i] / 8U == 0xD0 / 8U ? std::uint8_t{0xD3}
                                                                                    : whole[i]);
        restarts += is_restart ? 1 : 0;
    }
    CHECK(restarts > 3);
    CHECK(largest_difference(decode(stray), decode(whole)) == 0);
    CHECK(largest_difference(decode(alike), decode(whole)) == 0);
}

TEST_CASE("missing rows are detected despite an end marker") {
    if (!has_libjpeg) return;
    const File whole = read_fixture("reduced.jpg");
    const File part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * 2 / 3));
    CHECK(contains(decode_error(joined(part, {0xFF, 0xD9})), "premature end of data"));
}

TEST_CASE("the error for unsupported kinds of JPEG names them") {
    CHECK(
        contains(decode_error(with_kind_of_frame(0xC3)), "found a lossless JPEG; convert it to a baseline"));
    CHECK(contains(decode_error(with_kind_of_frame(0xC5)), "found a hierarchical JPEG"));
    CHECK(contains(decode_error(with_kind_of_frame(0xF7)), "found a JPEG-LS picture"));
    File deep = read_fixture("rgb.jpg");
    find(deep, {0xFF, 0xC0})[4] = 12;
    CHECK(contains(decode_error(deep), "found a JPEG of 12 bits per sample"));
    const File two = {0xFF, 0xD8, 0xFF, 0xC0, 0, 14, 8, 0, 4, 0, 4, 2, 1, 0x11, 0, 2, 0x11, 0, 0xFF, 0xD9};
    CHECK(contains(decode_error(two),
                   "expected 1 or 3 components per pixel, or CMYK with Adobe's marker, found 2"));
}

TEST_CASE("a JPEG with too many scans is refused before decoding") {
    const File whole = read_fixture("progressive.jpg");
    File file = whole;
    const auto scan = find(file, {0xFF, 0xDA});
    const auto next = std::search(scan + 2, file.end(), whole.begin() + 2, whole.begin() + 3);
    const File first_scan(scan, next);
    File many(file.begin(), scan);
    for (int i = 0; i < 201; ++i) many.insert(many.end(), first_scan.begin(), first_scan.end());
    CHECK(contains(decode_error(many), "expected at most 200 scans, found more"));
}

TEST_CASE("errors in the header of a frame or a scan are in the message") {
    const File start = {0xFF, 0xD8, 0xFF, 0xD9};
    CHECK(decode_error(start) == "test image: JPEG: it has no frame, and so no picture");
    const File frame = {0xFF, 0xC0, 0, 11, 8, 0, 4, 0, 4, 1, 1, 0x11, 0};
    CHECK(
        contains(decode_error(joined({0xFF, 0xD8}, joined(frame, frame))), "a second frame in one picture"));
    const File short_frame = {0xFF, 0xC0, 0, 8, 8, 0, 4, 0, 4, 1};
    CHECK(contains(decode_error(joined({0xFF, 0xD8}, short_frame)), "names no component, or fewer"));
    const File scan = {0xFF, 0xDA, 0, 8, 1, 7, 0, 0, 63, 0};
    CHECK(contains(decode_error(joined({0xFF, 0xD8}, scan)), "a scan before the header of the frame"));
    CHECK(contains(decode_error(joined({0xFF, 0xD8}, joined(frame, scan))),
                   "a component that the frame lacks"));
}
