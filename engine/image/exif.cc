#include "engine/image/exif.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace vgg19 {
namespace {

constexpr int upright = 1;

/// Reads the numbers of a TIFF structure, whose first two bytes give the byte order.
struct Tiff {
    Bytes bytes;
    bool is_big_endian = false;

    std::uint32_t number(std::size_t offset, std::size_t count) const {
        return is_big_endian ? big_endian(bytes, offset, count) : little_endian(bytes, offset, count);
    }
    bool holds(std::size_t offset, std::size_t count) const {
        return offset <= bytes.size() && count <= bytes.size() - offset;
    }
};

/// Size of TIFF's integer types; 0 for other types. The standard asks for SHORT, but some programs write
/// others.
std::size_t integer_bytes(std::uint32_t type) {
    switch (type) {
        case 1:  // BYTE
        case 6:  // SBYTE
            return 1;
        case 3:  // SHORT
        case 8:  // SSHORT
            return 2;
        case 4:  // LONG
        case 9:  // SLONG
            return 4;
        default:
            return 0;
    }
}

/// Removes the "Exif\0\0" prefix that JPEG has and that some programs write in PNG and WebP too.
Bytes without_name(Bytes exif) {
    constexpr std::string_view name("Exif\0\0", 6);
    const bool has_name = exif.size() >= name.size() && std::equal(name.begin(), name.end(), exif.begin());
    return has_name ? exif.subspan(name.size()) : exif;
}

/// The tag's value, 1 where it is invalid, none where there is no tag.
std::optional<int> tagged_orientation(Bytes exif) {
    constexpr std::size_t header_bytes = 8;  // byte order, 42, offset of the first directory
    constexpr std::size_t entry_bytes = 12;  // tag, type, count, value
    constexpr std::uint32_t orientation_tag = 0x0112;
    constexpr std::size_t value_offset = 8;

    const Bytes tiff_bytes = without_name(exif);
    if (tiff_bytes.size() < header_bytes || tiff_bytes[0] != tiff_bytes[1]) return {};
    if (tiff_bytes[0] != 'I' && tiff_bytes[0] != 'M') return {};
    const Tiff tiff{tiff_bytes, tiff_bytes[0] == 'M'};
    if (tiff.number(2, 2) != 42) return {};

    const std::size_t directory = tiff.number(4, 4);
    if (!tiff.holds(directory, 2)) return {};
    const std::size_t entries = tiff.number(directory, 2);
    for (std::size_t i = 0; i < entries; ++i) {
        const std::size_t entry = directory + 2 + i * entry_bytes;
        if (!tiff.holds(entry, entry_bytes)) return {};
        if (tiff.number(entry, 2) != orientation_tag) continue;
        const std::size_t bytes = integer_bytes(tiff.number(entry + 2, 2));
        if (bytes == 0 || tiff.number(entry + 4, 4) != 1) return upright;
        const std::uint32_t value = tiff.number(entry + value_offset, bytes);
        return value >= 1 && value <= 8 ? static_cast<int>(value) : upright;
    }
    return {};
}

/// Either as an attribute, tiff:Orientation="6", or as an element, <tiff:Orientation>6<.
int orientation_in_xmp(Bytes xmp) {
    const std::string_view text(reinterpret_cast<const char*>(xmp.data()), xmp.size());
    for (const std::string_view start : {"tiff:Orientation=\"", "tiff:Orientation='", "tiff:Orientation>"}) {
        const std::size_t found = text.find(start);
        if (found == std::string_view::npos || found + start.size() >= text.size()) continue;
        const char digit = text[found + start.size()];
        if (digit >= '1' && digit <= '8') return digit - '0';
    }
    return upright;
}

}  // namespace

int exif_orientation(Bytes exif, Bytes xmp) {
    const std::optional<int> tagged = tagged_orientation(exif);
    return tagged ? *tagged : orientation_in_xmp(xmp);
}

Image oriented(Image stored, int orientation, Progress& progress) {
    if (orientation == upright) return stored;
    // Orientations 5 to 8 swap rows and columns.
    const bool transposed = orientation >= 5;
    const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;

    Image result;
    result.width = transposed ? stored.height : stored.width;
    result.height = transposed ? stored.width : stored.height;
    result.rgb.resize(stored.rgb.size());
    std::uint8_t* pixel = result.rgb.data();
    for (std::size_t y = 0; y < result.height; ++y) {
        progress.advance(result.width);
        for (std::size_t x = 0; x < result.width; ++x, pixel += 3) {
            const std::size_t column = transposed ? y : x;
            const std::size_t row = transposed ? x : y;
            const std::size_t stored_column = from_right ? stored.width - 1 - column : column;
            const std::size_t stored_row = from_bottom ? stored.height - 1 - row : row;
            std::copy_n(&stored.rgb[(stored_row * stored.width + stored_column) * 3], 3, pixel);
        }
    }
    return result;
}

}  // namespace vgg19
