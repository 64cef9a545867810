// Helpers for tests: the pictures of testdata/, hand-made files, and the messages of errors.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "engine/testing/error_of.h"
#include "kernels/common/testing/guarded_buffer.h"
#include "vgg19/error.h"
#include "vgg19/image.h"

namespace vgg19::testing {

using File = std::vector<std::uint8_t>;

/// VGG19_IMAGE_TESTDATA comes from CMake.
inline std::filesystem::path fixture(const std::string& name) {
    return std::filesystem::path(VGG19_IMAGE_TESTDATA) / name;
}

inline File read_fixture(const std::string& name) {
    std::ifstream stream(fixture(name), std::ios::binary);
    REQUIRE_MESSAGE(stream.good(), "cannot open " << name);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// Both pictures have the same size.
inline int largest_difference(const Image& a, const Image& b) {
    REQUIRE(a.width == b.width);
    REQUIRE(a.height == b.height);
    REQUIRE(a.rgb.size() == b.rgb.size());
    int largest = 0;
    for (std::size_t i = 0; i < a.rgb.size(); ++i) largest = std::max(largest, std::abs(a.rgb[i] - b.rgb[i]));
    return largest;
}

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// One file of each format, more where a format stores pixels in different ways.
inline constexpr std::array<const char*, 11> one_of_each = {
    "rgb.jpg",   "progressive.jpg", "orientation6.jpg", "rgb.png", "palette_transparent.png",
    "rgb16.png", "rgb.bmp",         "palette.bmp",      "rgb.gif", "animated.gif",
    "rgb.ppm"};

inline File bytes_of(std::string_view text) {
    return {text.begin(), text.end()};
}

inline File joined(const File& a, const File& b) {
    File file;
    file.reserve(a.size() + b.size());
    for (const File* part :
         {&a, &b}) {  // not by std::copy, for which GCC 12 warns of overflows that cannot happen
        for (const std::uint8_t byte : *part) file.push_back(byte);
    }
    return file;
}

/// Decodes from memory that ends at a guard page, so that a read beyond the file faults.
inline Image decode(const File& file, const ImageLimits& limits = {}) {
    kernels::testing::GuardedBuffer<std::uint8_t> guarded(file.size());
    std::copy(file.begin(), file.end(), guarded.begin());
    return decode_image({guarded.data(), guarded.size()}, "test image", limits);
}

inline std::string decode_error(const File& file, const ImageLimits& limits = {}) {
    return error_of(ErrorKind::bad_input, [&] { decode(file, limits); });
}

/// Decodes from the file and from memory, and compares with NAME.expected.png.
inline void check_decodes(const std::string& name, int tolerance) {
    CAPTURE(name);
    const Image expected = load_image(fixture(name + ".expected.png"));
    CHECK(largest_difference(load_image(fixture(name)), expected) <= tolerance);
    CHECK(largest_difference(decode(read_fixture(name)), expected) <= tolerance);
}

/// Big-endian, as in PNG and JPEG.
inline File number(std::uint32_t value, std::size_t count) {
    File bytes(count);
    for (std::size_t i = count; i > 0; --i, value >>= 8U) bytes[i - 1] = static_cast<std::uint8_t>(value);
    return bytes;
}

/// Bit by bit, the definition in ISO/IEC 15948, section 5.5.
inline std::uint32_t png_checksum(const File& bytes) {
    std::uint32_t value = 0xFFFFFFFF;
    for (const std::uint8_t byte : bytes) {
        value ^= byte;
        for (int bit = 0; bit < 8; ++bit) value = value >> 1U ^ (value % 2 == 0 ? 0U : 0xEDB88320U);
    }
    return ~value;
}

inline File png_chunk(std::string_view type, const File& data) {
    const auto length = static_cast<std::uint32_t>(data.size());
    const File named = joined(bytes_of(type), data);
    return joined(joined(number(length, 4), named), number(png_checksum(named), 4));
}

/// The PNG with corrected chunk checksums, as far as its chunks can be found.
inline File with_png_checksums(File file) {
    constexpr std::size_t signature_bytes = 8;
    constexpr std::size_t frame_bytes = 12;
    for (std::size_t offset = signature_bytes; offset + frame_bytes <= file.size();) {
        std::size_t length = 0;
        for (std::size_t i = 0; i < 4; ++i) length = length * 256 + file[offset + i];
        if (length > file.size() - offset - frame_bytes) break;
        const auto type = file.begin() + static_cast<std::ptrdiff_t>(offset) + 4;
        const auto end = type + 4 + static_cast<std::ptrdiff_t>(length);
        const File checksum = number(png_checksum(File(type, end)), 4);
        std::copy(checksum.begin(), checksum.end(), end);
        offset += frame_bytes + length;
    }
    return file;
}

inline File png_header(std::uint32_t width, std::uint32_t height) {
    const File size = joined(number(width, 4), number(height, 4));
    const File grey_8_bit = {8, 0, 0, 0, 0};
    return joined(bytes_of("\x89PNG\r\n\x1A\n"), png_chunk("IHDR", joined(size, grey_8_bit)));
}

}  // namespace vgg19::testing
