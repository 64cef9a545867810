#include "engine/image/jpeg_segments.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "engine/image/failure.h"

namespace vgg19 {
namespace {

constexpr std::uint32_t define_huffman_tables = 0xC4;
constexpr std::uint32_t end_of_image = 0xD9;
constexpr std::uint32_t start_of_scan = 0xDA;
constexpr std::uint32_t define_quantization_tables = 0xDB;
constexpr std::uint32_t define_number_of_lines = 0xDC;
constexpr std::uint32_t define_restart_interval = 0xDD;
constexpr std::uint32_t app0 = 0xE0;
constexpr std::uint32_t app1 = 0xE1;
constexpr std::uint32_t app14 = 0xEE;
constexpr std::uint32_t app15 = 0xEF;
constexpr std::uint32_t jpeg_ls_frame = 0xF7;
constexpr std::uint32_t comment = 0xFE;

/// Encoders write about ten scans for a progressive picture, and optimisers several dozen.
constexpr std::size_t most_scans = 200;

[[noreturn]] void fail(std::size_t offset, const std::string& what) {
    fail_image("segment at offset " + std::to_string(offset) + ": " + what);
}

bool starts_with(Bytes bytes, std::string_view text) {
    const auto same = [](char expected, std::uint8_t found) {
        return static_cast<std::uint8_t>(expected) == found;
    };
    return bytes.size() >= text.size() && std::equal(text.begin(), text.end(), bytes.begin(), same);
}

/// SOF0 to SOF15, except DHT (C4), JPG (C8) and DAC (CC), which lie in the same range.
bool is_start_of_frame(std::uint32_t marker) {
    if (marker == jpeg_ls_frame) return true;
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// After FF, a stuffed zero, padding (FF) and RST0 to RST7 are part of the entropy-coded data.
bool starts_segment(std::uint8_t byte) {
    return byte != 0 && byte != 0xFF && (byte < 0xD0 || byte > 0xD7);
}

/// The offset of the next marker's FF byte, or the file's size.
std::size_t find_marker(Bytes file, std::size_t offset) {
    for (; offset + 1 < file.size(); ++offset) {
        const auto found = std::find(file.begin() + static_cast<std::ptrdiff_t>(offset), file.end(), 0xFF);
        offset = static_cast<std::size_t>(found - file.begin());
        if (offset + 1 < file.size() && starts_segment(file[offset + 1])) return offset;
    }
    return file.size();
}

/// A bit set: bit k is coefficient k in zigzag order.
using Coefficients = std::uint64_t;

/// Coefficients `first` to `last`, clamped, because a damaged scan may name more than there are.
Coefficients coefficient_range(std::size_t first, std::size_t last) {
    Coefficients range = 0;
    for (std::size_t k = first; k <= std::min<std::size_t>(last, 63); ++k) range |= Coefficients{1} << k;
    return range;
}

struct Component {
    std::uint8_t name = 0;
    JpegSampling sampling;
    unsigned quantization_table = 0;
    bool has_scan = false;      ///< one that begins with its first coefficient
    Coefficients complete = 0;  ///< those with all bits received
};

/// The tables defined so far, and what the headers of the frame and the scans said.
struct DecoderState {
    std::array<bool, 16> quantization{};
    std::array<bool, 16> dc_huffman{};
    std::array<bool, 16> ac_huffman{};
    bool any_huffman = false;
    std::vector<Component> components;
    std::size_t needed_blocks = 0;  ///< of the last scan: each takes a bit

    std::vector<JpegSampling> samplings() const {
        std::vector<JpegSampling> each;
        for (const Component& component : components) each.push_back(component.sampling);
        return each;
    }
    bool has_all_components() const {
        return std::all_of(components.begin(), components.end(),
                           [](const Component& each) { return each.has_scan; });
    }
    bool picture_is_complete() const {
        const auto complete = [](const Component& each) { return each.complete == ~Coefficients{0}; };
        return !components.empty() && std::all_of(components.begin(), components.end(), complete);
    }
};

/// A table: one byte for class and number, the counts of codes of length 1 to 16, then that many symbols.
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
        state.any_huffman = true;
        tables = tables.subspan(header_bytes + symbols);
    }
}

/// A table: one byte for precision and number, then 64 entries of one or two bytes.
void define_quantization(Bytes tables, std::size_t segment, DecoderState& state) {
    while (!tables.empty()) {
        const std::size_t bytes = tables[0] / 16U == 0 ? 65 : 129;
        if (tables.size() < bytes) fail(segment, "a quantisation table is cut short");
        state.quantization[tables[0] % 16U] = true;
        tables = tables.subspan(bytes);
    }
}

void check_kind(std::uint32_t marker, unsigned precision, std::size_t segment) {
    const auto refuse = [&](const std::string& kind) {
        fail(segment, "found " + kind + "; convert it to a baseline or progressive JPEG first");
    };
    if (marker == jpeg_ls_frame) refuse("a JPEG-LS picture");
    const std::uint32_t kind =
        marker % 8;  // the upper half of the sixteen SOF markers means arithmetic coding
    if (kind == 3 || kind == 7) refuse("a lossless JPEG");
    if (kind > 3) refuse("a hierarchical JPEG");
    if (precision != 8) refuse("a JPEG of " + std::to_string(precision) + " bits per sample");
}

/// Precision, height, width, number of components; per component its id, sampling factors and quantisation
/// table.
void read_frame(std::uint32_t marker, Bytes frame, std::size_t segment, JpegSegments& segments,
                DecoderState& state) {
    constexpr std::size_t first_component = 6;
    if (frame.size() < first_component) fail(segment, "the header of the frame is cut short");
    check_kind(marker, frame[0], segment);
    if (segments.components != 0) fail(segment, "a second frame in one picture");
    segments.size = {big_endian(frame, 3, 2), big_endian(frame, 1, 2)};
    segments.components = frame[first_component - 1];
    segments.coding = marker % 4 == 2 ? JpegCoding::progressive : JpegCoding::sequential;
    segments.is_arithmetic = marker >= 0xC8;
    for (std::size_t at = first_component; at + 3 <= frame.size(); at += 3) {
        state.components.push_back({.name = frame[at],
                                    .sampling = {frame[at + 1] / 16U, frame[at + 1] % 16U},
                                    .quantization_table = frame[at + 2] % 16U});
    }
    if (segments.components == 0 || state.components.size() < segments.components) {
        fail(segment, "the header of the frame names no component, or fewer than it promises");
    }
    state.components.resize(segments.components);
    for (const auto& [across, down] : state.samplings()) {
        if (across < 1 || across > 4 || down < 1 || down > 4) {
            fail(segment, "sampling factors " + std::to_string(across) + "×" + std::to_string(down) +
                              ", expected 1 to 4");
        }
    }
    segments.blocks = JpegBlocks(segments.size, state.samplings());
}

void require_table(bool defined, const std::string& what, unsigned number, std::size_t segment) {
    if (defined) return;
    fail(segment,
         "a scan with " + what + " table " + std::to_string(number) + ", which no segment before it defines");
}

/// The end of a scan header: the range of coefficients, and which of their bits.
struct ScanRange {
    std::size_t first = 0;
    std::size_t last = 63;
    bool refines = false;
    bool has_last_bits = true;
};

ScanRange scan_range(Bytes range, JpegCoding coding) {
    if (coding == JpegCoding::sequential) return {};
    return {range[0], range[1], range[2] / 16U != 0, range[2] % 16U == 0};
}

void check_huffman_tables(unsigned tables, const ScanRange& range, std::size_t segment,
                          JpegSegments& segments, const DecoderState& state) {
    if (segments.is_arithmetic) return;
    const bool is_sequential = segments.coding == JpegCoding::sequential;
    if (is_sequential && !state.any_huffman) {
        segments.needs_standard_tables = true;
        return;
    }
    const bool has_dc = is_sequential || (range.first == 0 && !range.refines);
    const bool has_ac = is_sequential || range.first > 0;
    if (has_dc) require_table(state.dc_huffman[tables / 16U], "DC Huffman", tables / 16U, segment);
    if (has_ac) require_table(state.ac_huffman[tables % 16U], "AC Huffman", tables % 16U, segment);
}

/// Number of components; per component its id and Huffman tables; the first and last coefficient, and the
/// bits of a progressive scan. A header that is too short is left to the decoder, which reports it.
void read_scan(Bytes scan, std::size_t segment, JpegSegments& segments, DecoderState& state) {
    if (++segments.work.scans > most_scans) {
        fail(segment, "expected at most " + std::to_string(most_scans) + " scans, found more");
    }
    state.needed_blocks = 0;
    if (state.components.empty()) fail(segment, "a scan before the header of the frame");
    if (scan.empty() || scan.size() < 4 + std::size_t{2} * scan[0]) return;
    const std::size_t components = scan[0];
    const ScanRange range = scan_range(scan.subspan(1 + 2 * components, 3), segments.coding);
    const bool begins_blocks = range.first == 0 && !range.refines;
    std::vector<JpegSampling> samplings;
    for (std::size_t i = 0; i < components; ++i) {
        const auto is_named = [&](const Component& each) { return each.name == scan[1 + 2 * i]; };
        const auto component = std::find_if(state.components.begin(), state.components.end(), is_named);
        if (component == state.components.end()) fail(segment, "a scan of a component that the frame lacks");
        const unsigned quantization = component->quantization_table;
        require_table(state.quantization[quantization], "quantisation", quantization, segment);
        check_huffman_tables(scan[2 + 2 * i], range, segment, segments, state);
        if (range.has_last_bits) component->complete |= coefficient_range(range.first, range.last);
        component->has_scan = component->has_scan || begins_blocks;
        samplings.push_back(component->sampling);
    }
    segments.is_buffered = segments.is_buffered || segments.coding == JpegCoding::progressive ||
                           components < segments.components;
    segments.work.blocks += segments.blocks.in_scan(samplings);
    if (begins_blocks && !segments.is_arithmetic) {
        state.needed_blocks = segments.blocks.needed_in_scan(samplings);
    }
}

/// `data_bytes` lie between the scan's header and the next segment.
void end_scan(std::size_t data_bytes, std::size_t segment, JpegWork& work, const DecoderState& state) {
    work.data_bytes += data_bytes;
    if (state.needed_blocks / 8 <= data_bytes || work.short_scan) return;
    work.short_scan = JpegShortScan{segment, data_bytes, state.needed_blocks};
}

void read_segment(std::uint32_t marker, Bytes payload, std::size_t offset, JpegSegments& segments,
                  DecoderState& state) {
    constexpr std::string_view exif_name("Exif\0\0", 6);
    constexpr std::string_view xmp_name("http://ns.adobe.com/xap/1.0/\0", 29);
    if (marker == define_huffman_tables) {
        define_huffman(payload, offset, state);
    } else if (marker == define_quantization_tables) {
        define_quantization(payload, offset, state);
    } else if (marker == define_restart_interval && payload.size() >= 2) {
        segments.has_restarts = big_endian(payload, 0, 2) != 0;
    } else if (marker == start_of_scan) {
        read_scan(payload, offset, segments, state);
    } else if (marker == app1 && segments.exif.empty() && starts_with(payload, exif_name)) {
        segments.exif = payload.subspan(exif_name.size());
    } else if (marker == app1 && segments.xmp.empty() && starts_with(payload, xmp_name)) {
        segments.xmp = payload.subspan(xmp_name.size());
    } else if (marker == app14 && starts_with(payload, "Adobe")) {
        segments.has_adobe_marker = true;
    } else if (is_start_of_frame(marker)) {
        read_frame(marker, payload, offset, segments, state);
    }
}

/// Whether this marker may follow a scan of the same picture. Markers that start another picture, and
/// marker-like bytes in other data, may not.
bool may_follow_scan(std::uint32_t marker) {
    switch (marker) {
        case define_huffman_tables:
        case define_quantization_tables:
        case define_number_of_lines:
        case define_restart_interval:
        case start_of_scan:
        case comment:
            return true;
        default:
            return marker >= app0 && marker <= app15;
    }
}

/// Includes its own two bytes; at least 2, and the segment fits into the file.
std::size_t segment_length(Bytes file, std::size_t offset) {
    const std::size_t left = file.size() - offset - 2;
    const std::size_t length = left < 2 ? 2 : big_endian(file, offset + 2, 2);
    if (length < 2) fail(offset, "expected a length of at least 2, found " + std::to_string(length));
    if (length > left) {
        fail(offset, std::to_string(length) + " bytes, but the file ends after " + std::to_string(left) +
                         ": it is cut short");
    }
    return length;
}

/// Whether another segment of the same picture follows, though the picture is complete.
bool picture_goes_on(Bytes file, std::size_t offset) {
    if (!may_follow_scan(file[offset + 1]) || file.size() - offset < 4) return false;
    const std::size_t length = big_endian(file, offset + 2, 2);
    return length >= 2 && length <= file.size() - offset - 2;
}

}  // namespace

JpegSegments read_jpeg_segments(Bytes file) {
    JpegSegments segments;
    DecoderState state;
    std::size_t offset = find_marker(file, 2);  // after the start of image
    while (offset < file.size() && file[offset + 1] != end_of_image) {
        if (state.picture_is_complete() && !picture_goes_on(file, offset)) break;
        const std::size_t length = segment_length(file, offset);
        const std::uint32_t marker = file[offset + 1];
        const std::size_t end = offset + 2 + length;
        read_segment(marker, file.subspan(offset + 4, length - 2), offset, segments, state);
        const std::size_t next = find_marker(file, end);
        if (marker == start_of_scan) end_scan(next - end, offset, segments.work, state);
        offset = next;
    }
    segments.has_end_marker = offset < file.size() && file[offset + 1] == end_of_image;
    segments.picture = file.first(segments.has_end_marker ? offset + 2 : offset);
    if (!segments.has_end_marker && !state.picture_is_complete()) fail_cut_short(file);
    if (segments.components == 0) fail_image("it has no frame, and so no picture");
    segments.work.has_all_components = state.has_all_components();
    return segments;
}

}  // namespace vgg19
