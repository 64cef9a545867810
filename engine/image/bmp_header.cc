#include "engine/image/bmp_header.h"

#include <algorithm>
#include <bit>
#include <string>

#include "engine/image/failure.h"

namespace vgg19 {
namespace {

constexpr std::size_t file_header_bytes = 14;  // "BM", file size, 4 reserved bytes, offset of the pixels
constexpr std::size_t os2_header_bytes = 12;
constexpr std::size_t short_os2_2_header_bytes = 16;
constexpr std::size_t windows_3_header_bytes = 40;
constexpr std::size_t masks_offset =
    file_header_bytes + windows_3_header_bytes;  // inside or after the header

enum Compression : std::uint32_t {
    none = 0,
    run_lengths_8 = 1,
    run_lengths_4 = 2,
    bit_fields = 3,
    jpeg = 4,
    png = 5,
    alpha_bit_fields = 6
};

/// Reads numbers from the file; throws beyond its end.
struct Reader {
    Bytes file;

    std::uint32_t number(std::size_t offset, std::size_t count) const {
        if (offset + count > file.size()) fail_cut_short(file);
        return little_endian(file, offset, count);
    }
    std::int64_t signed_number(std::size_t offset) const {
        return static_cast<std::int32_t>(number(offset, 4));
    }
};

std::size_t header_bytes(const Reader& reader) {
    constexpr std::array<std::size_t, 8> known = {
        os2_header_bytes, short_os2_2_header_bytes, windows_3_header_bytes, 52, 56, 64, 108, 124};
    const std::size_t bytes = reader.number(file_header_bytes, 4);
    if (std::find(known.begin(), known.end(), bytes) != known.end()) return bytes;
    fail_image("offset " + std::to_string(file_header_bytes) +
               ": expected a header of 12, 16, 40, 52, 56, 64, 108 or 124 bytes, found one of " +
               std::to_string(bytes));
}

void read_size(const Reader& reader, std::size_t header, BmpHeader& bmp) {
    if (header == os2_header_bytes) {
        bmp.size = {reader.number(18, 2), reader.number(20, 2)};
        bmp.bits = reader.number(24, 2);
        return;
    }
    const std::int64_t height = reader.signed_number(22);
    bmp.from_top = height < 0;
    bmp.size = {reader.number(18, 4), static_cast<std::size_t>(bmp.from_top ? -height : height)};
    bmp.bits = reader.number(28, 2);
}

[[noreturn]] void refuse(unsigned bits, const std::string& compression) {
    fail_image("found " + std::to_string(bits) + " bits per pixel with " + compression +
               ", which is not supported; convert it to PNG first");
}

std::uint32_t compression_of(const Reader& reader, std::size_t header, unsigned bits) {
    constexpr std::size_t os2_2_header_bytes = 64;
    if (header <= short_os2_2_header_bytes) return none;
    const std::uint32_t compression = reader.number(30, 4);
    if (header == os2_2_header_bytes && compression >= bit_fields) {
        refuse(bits, "OS/2's compression " + std::to_string(compression));
    }
    return compression;
}

/// For 16 and 32 bits per pixel. The fourth byte of a pixel is unused unless the alpha mask covers it.
void read_masks(const Reader& reader, std::size_t header, std::uint32_t compression, BmpHeader& bmp) {
    constexpr std::size_t windows_3_with_alpha_bytes = 56;
    if (compression == none) {
        if (bmp.bits == 16) bmp.masks = {0x7C00, 0x03E0, 0x001F, 0};
        if (bmp.bits == 32) bmp.masks = {0xFF0000, 0x00FF00, 0x0000FF, 0};
        return;
    }
    const bool has_alpha = header >= windows_3_with_alpha_bytes || compression == alpha_bit_fields;
    for (std::size_t i = 0; i < (has_alpha ? 4U : 3U); ++i) {
        bmp.masks[i] = reader.number(masks_offset + 4 * i, 4);
    }
    if ((bmp.masks[0] | bmp.masks[1] | bmp.masks[2]) == 0) fail_image("no colour has a mask");
    for (const std::uint32_t mask : bmp.masks) {
        const std::uint32_t from_zero = mask == 0 ? 0 : mask >> static_cast<unsigned>(std::countr_zero(mask));
        if ((from_zero & (from_zero + 1)) != 0) fail_image("the bits of a colour's mask are not contiguous");
    }
}

/// Entries are blue, green, red and, except in OS/2's first header, an unused byte. Returns the palette's
/// end.
std::size_t read_palette(const Reader& reader, std::size_t header, BmpHeader& bmp) {
    const std::size_t colours = std::size_t{1} << bmp.bits;
    const std::size_t entry_bytes = header == os2_header_bytes ? 3 : 4;
    const std::size_t used = header < windows_3_header_bytes ? 0 : reader.number(46, 4);
    const std::size_t start = file_header_bytes + header;
    std::size_t stored = used == 0 || used > colours ? colours : used;
    // Some files store fewer colours than declared; only the offset of the pixels shows it.
    if (bmp.pixels_offset > start) stored = std::min(stored, (bmp.pixels_offset - start) / entry_bytes);
    bmp.palette.assign(colours, {});
    for (std::size_t i = 0; i < stored; ++i) {
        const std::uint32_t colour = reader.number(start + i * entry_bytes, 3);
        bmp.palette[i] = {static_cast<std::uint8_t>(colour >> 16U), static_cast<std::uint8_t>(colour >> 8U),
                          static_cast<std::uint8_t>(colour)};
    }
    return start + stored * entry_bytes;
}

bool is_one_of(unsigned value, std::initializer_list<unsigned> list) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

void check_compression(std::uint32_t compression, unsigned bits) {
    switch (compression) {
        case none:
            if (is_one_of(bits, {1, 2, 4, 8, 16, 24, 32})) return;
            refuse(bits, "no compression");
        case run_lengths_8:
            if (bits == 8) return;
            refuse(bits, "run lengths of 8 bits");
        case run_lengths_4:
            if (bits == 4) return;
            refuse(bits, "run lengths of 4 bits");
        case bit_fields:
        case alpha_bit_fields:
            if (bits == 16 || bits == 32) return;
            refuse(bits, "masks");
        case jpeg:
            refuse(bits, "a JPEG inside");
        case png:
            refuse(bits, "a PNG inside");
        default:
            refuse(bits, "compression " + std::to_string(compression));
    }
}

}  // namespace

BmpHeader read_bmp_header(Bytes file) {
    const Reader reader{file};
    const std::size_t header = header_bytes(reader);
    BmpHeader bmp;
    bmp.pixels_offset = reader.number(10, 4);
    read_size(reader, header, bmp);
    const std::uint32_t compression = compression_of(reader, header, bmp.bits);
    check_compression(compression, bmp.bits);
    const bool has_runs = compression == run_lengths_8 || compression == run_lengths_4;
    bmp.coding = has_runs ? BmpCoding::run_lengths : BmpCoding::rows;
    std::size_t end = file_header_bytes + header;
    if (bmp.bits <= 8) {
        end = read_palette(reader, header, bmp);
    } else {
        read_masks(reader, header, compression, bmp);
    }
    if (bmp.pixels_offset == 0) bmp.pixels_offset = end;
    if (bmp.pixels_offset < file_header_bytes + header) {
        fail_image("offset 10: its pixels begin at offset " + std::to_string(bmp.pixels_offset) +
                   ", inside its header");
    }
    return bmp;
}

}  // namespace vgg19
