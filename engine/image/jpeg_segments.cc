#include "engine/image/jpeg_segments.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>

#include "vgg19/error.h"

namespace vgg19 {
namespace {

constexpr std::uint32_t define_huffman_tables = 0xC4;
constexpr std::uint32_t end_of_image = 0xD9;
constexpr std::uint32_t app1 = 0xE1;
constexpr std::uint32_t app14 = 0xEE;

[[noreturn]] void fail(std::size_t offset, const std::string& what) {
    throw Error(ErrorKind::bad_input, "segment at offset " + std::to_string(offset) + ": " + what);
}

bool starts_with(Bytes bytes, std::string_view text) {
    const auto same = [](char expected, std::uint8_t found) {
        return static_cast<std::uint8_t>(expected) == found;
    };
    return bytes.size() >= text.size() && std::equal(text.begin(), text.end(), bytes.begin(), same);
}

/// SOF0 to SOF15; among them lie DHT (C4), JPG (C8) and DAC (CC).
bool is_start_of_frame(std::uint32_t marker) {
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// After FF: a stuffed zero, padding, and RST0 to RST7 belong to the data between segments.
bool starts_segment(std::uint8_t byte) {
    return byte != 0 && byte != 0xFF && (byte < 0xD0 || byte > 0xD7);
}

/// The offset of the next marker's FF, or the file's size.
std::size_t find_marker(Bytes file, std::size_t offset) {
    for (; offset + 1 < file.size(); ++offset) {
        const auto found = std::find(file.begin() + static_cast<std::ptrdiff_t>(offset), file.end(), 0xFF);
        offset = static_cast<std::size_t>(found - file.begin());
        if (offset + 1 < file.size() && starts_segment(file[offset + 1])) return offset;
    }
    return file.size();
}

/// A table is a byte of class and number, the counts of codes of 1 to 16 bits, and that many symbols.
void check_huffman_tables(Bytes tables, std::size_t segment) {
    constexpr std::size_t header_bytes = 17;
    constexpr std::size_t most_symbols = 256;
    while (!tables.empty()) {
        if (tables.size() < header_bytes) fail(segment, "a Huffman table is cut short");
        const Bytes counts = tables.subspan(1, header_bytes - 1);
        const std::size_t symbols = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
        if (symbols > most_symbols || symbols > tables.size() - header_bytes) {
            fail(segment, "a Huffman table of " + std::to_string(symbols) + " symbols, expected at most " +
                              std::to_string(most_symbols) + " and the segment to hold them");
        }
        tables = tables.subspan(header_bytes + symbols);
    }
}

void read_segment(std::uint32_t marker, Bytes payload, std::size_t offset, JpegSegments& segments) {
    constexpr std::string_view exif_name("Exif\0\0", 6);
    constexpr std::size_t components_offset = 5;  // after precision, height and width
    if (marker == define_huffman_tables) {
        check_huffman_tables(payload, offset);
    } else if (marker == app1 && segments.exif.empty() && starts_with(payload, exif_name)) {
        segments.exif = payload.subspan(exif_name.size());
    } else if (marker == app14 && starts_with(payload, "Adobe")) {
        segments.has_adobe_marker = true;
    } else if (is_start_of_frame(marker) && payload.size() > components_offset) {
        segments.components = payload[components_offset];
    }
}

}  // namespace

JpegSegments read_jpeg_segments(Bytes file) {
    JpegSegments segments;
    std::size_t offset = find_marker(file, 2);  // after the start of image
    while (offset < file.size() && file[offset + 1] != end_of_image) {
        const std::size_t left = file.size() - offset - 2;
        const std::size_t length = left < 2 ? 2 : big_endian(file, offset + 2, 2);  // counts itself
        if (length < 2) fail(offset, "expected a length of at least 2, found " + std::to_string(length));
        if (length > left) {
            fail(offset, std::to_string(length) + " bytes, but the file ends after " + std::to_string(left) +
                             ": it is cut short");
        }
        read_segment(file[offset + 1], file.subspan(offset + 4, length - 2), offset, segments);
        offset = find_marker(file, offset + 2 + length);
    }
    return segments;
}

}  // namespace vgg19
