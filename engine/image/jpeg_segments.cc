#include "engine/image/jpeg_segments.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <string_view>

#include "vgg19/error.h"

namespace vgg19 {
namespace {

constexpr std::uint32_t define_huffman_tables = 0xC4;
constexpr std::uint32_t progressive_frame = 0xC2;
constexpr std::uint32_t end_of_image = 0xD9;
constexpr std::uint32_t start_of_scan = 0xDA;
constexpr std::uint32_t define_quantization_tables = 0xDB;
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

/// The tables that segments have defined so far, and what the frame says of scans.
struct DecoderState {
    std::array<bool, 16> quantization{};
    std::array<bool, 16> dc_huffman{};
    std::array<bool, 16> ac_huffman{};
    std::array<std::uint8_t, 256> quantization_of_component{};
    bool progressive = false;
};

/// A table is a byte of class and number, the counts of codes of 1 to 16 bits, and that many symbols.
void define_huffman(Bytes tables, std::size_t segment, DecoderState& state) {
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
        auto& defined = tables[0] / 16U == 0 ? state.dc_huffman : state.ac_huffman;
        defined[tables[0] % 16U] = true;
        tables = tables.subspan(header_bytes + symbols);
    }
}

/// A table is a byte of precision and number, and 64 numbers of one byte or two.
void define_quantization(Bytes tables, std::size_t segment, DecoderState& state) {
    while (!tables.empty()) {
        const std::size_t bytes = tables[0] / 16U == 0 ? 65 : 129;
        if (tables.size() < bytes) fail(segment, "a quantisation table is cut short");
        state.quantization[tables[0] % 16U] = true;
        tables = tables.subspan(bytes);
    }
}

/// Precision, height, width and the number of components; of each its name, sampling and quantisation table.
void read_frame(std::uint32_t marker, Bytes frame, JpegSegments& segments, DecoderState& state) {
    constexpr std::size_t first_component = 6;
    if (frame.size() < first_component) return;
    segments.components = frame[first_component - 1];
    state.progressive = marker == progressive_frame;
    for (std::size_t at = first_component; at + 3 <= frame.size(); at += 3) {
        state.quantization_of_component[frame[at]] = frame[at + 2] % 16U;
    }
}

void require_table(bool defined, const std::string& what, unsigned number, std::size_t segment) {
    if (defined) return;
    fail(segment,
         "a scan with " + what + " table " + std::to_string(number) + ", which no segment before it defines");
}

/// The number of components; of each its name and Huffman tables; the first and last coefficient, and the
/// bits of a progressive scan. A scan that is too short for that is left to stb_image, which says so.
void check_scan(Bytes scan, std::size_t segment, const DecoderState& state) {
    if (scan.empty() || scan.size() < 4 + std::size_t{2} * scan[0]) return;
    const std::size_t components = scan[0];
    const std::size_t first_coefficient = scan[1 + 2 * components];
    const bool refines = state.progressive && scan[3 + 2 * components] / 16U != 0;
    const bool has_dc = !state.progressive || (first_coefficient == 0 && !refines);
    const bool has_ac = !state.progressive || first_coefficient > 0;
    for (std::size_t i = 0; i < components; ++i) {
        const unsigned quantization = state.quantization_of_component[scan[1 + 2 * i]];
        const unsigned dc = scan[2 + 2 * i] / 16U;
        const unsigned ac = scan[2 + 2 * i] % 16U;
        require_table(state.quantization[quantization], "quantisation", quantization, segment);
        if (has_dc) require_table(state.dc_huffman[dc], "DC Huffman", dc, segment);
        if (has_ac) require_table(state.ac_huffman[ac], "AC Huffman", ac, segment);
    }
}

void read_segment(std::uint32_t marker, Bytes payload, std::size_t offset, JpegSegments& segments,
                  DecoderState& state) {
    constexpr std::string_view exif_name("Exif\0\0", 6);
    if (marker == define_huffman_tables) {
        define_huffman(payload, offset, state);
    } else if (marker == define_quantization_tables) {
        define_quantization(payload, offset, state);
    } else if (marker == start_of_scan) {
        check_scan(payload, offset, state);
    } else if (marker == app1 && segments.exif.empty() && starts_with(payload, exif_name)) {
        segments.exif = payload.subspan(exif_name.size());
    } else if (marker == app14 && starts_with(payload, "Adobe")) {
        segments.has_adobe_marker = true;
    } else if (is_start_of_frame(marker)) {
        read_frame(marker, payload, segments, state);
    }
}

}  // namespace

JpegSegments read_jpeg_segments(Bytes file) {
    JpegSegments segments;
    DecoderState state;
    std::size_t offset = find_marker(file, 2);  // after the start of image
    while (offset < file.size() && file[offset + 1] != end_of_image) {
        const std::size_t left = file.size() - offset - 2;
        const std::size_t length = left < 2 ? 2 : big_endian(file, offset + 2, 2);  // counts itself
        if (length < 2) fail(offset, "expected a length of at least 2, found " + std::to_string(length));
        if (length > left) {
            fail(offset, std::to_string(length) + " bytes, but the file ends after " + std::to_string(left) +
                             ": it is cut short");
        }
        read_segment(file[offset + 1], file.subspan(offset + 4, length - 2), offset, segments, state);
        offset = find_marker(file, offset + 2 + length);
    }
    return segments;
}

}  // namespace vgg19
