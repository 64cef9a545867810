#include "engine/image/png_chunks.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "engine/image/checksums.h"
#include "engine/image/failure.h"

namespace vgg19 {
namespace {

constexpr std::size_t signature_bytes = 8;
constexpr std::size_t header_length = 13;
constexpr std::size_t frame_bytes = 12;  // length and type before the data, a checksum after it

[[noreturn]] void fail(std::size_t offset, const std::string& what) {
    fail_image("chunk at offset " + std::to_string(offset) + ": " + what);
}

/// The chunk type as text, also used in messages.
std::string type_at(Bytes file, std::size_t offset) {
    std::string type(4, '?');
    for (std::size_t i = 0; i < type.size(); ++i) {
        const std::uint8_t byte = file[offset + i];
        if (byte > ' ' && byte < 0x7F) type[i] = static_cast<char>(byte);
    }
    return type;
}

/// A chunk of the file: a length, a type, data, and a checksum of type and data.
struct Chunk {
    std::string type;
    Bytes data;
    bool is_ancillary = false;  ///< a picture can be decoded without it
    bool is_intact = false;
};

Chunk read_chunk(Bytes file, std::size_t offset) {
    constexpr std::array<std::string_view, 4> known = {"IHDR", "PLTE", "IDAT", "IEND"};
    constexpr std::uint8_t ancillary_bit = 0x20;  // of the type's first letter: set means lower case
    const std::size_t left = file.size() - offset;
    if (left < frame_bytes) fail(offset, "expected a chunk, found the end of the file: it is cut short");
    const std::size_t length = big_endian(file, offset, 4);
    Chunk chunk{.type = type_at(file, offset + 4), .is_ancillary = (file[offset + 4] & ancillary_bit) != 0};
    if (chunk.type == "CgBI") fail(offset, "found Apple's own kind of PNG (CgBI); convert it to PNG first");
    if (offset == signature_bytes && (chunk.type != "IHDR" || length != header_length)) {
        fail(offset, "expected IHDR of 13 bytes, found " + chunk.type + " of " + std::to_string(length));
    }
    if (!chunk.is_ancillary && std::find(known.begin(), known.end(), chunk.type) == known.end()) {
        fail(offset, "critical chunk of unknown type " + chunk.type);
    }
    if (length > left - frame_bytes) {
        fail(offset, chunk.type + " of " + std::to_string(length) + " bytes passes the end of the file, " +
                         std::to_string(left) + " bytes away: it is cut short");
    }
    chunk.data = file.subspan(offset + 8, length);
    const std::uint32_t checksum = big_endian(file, offset + 8 + length, 4);
    chunk.is_intact = !checksums_count || crc32(file.subspan(offset + 4, 4 + length)) == checksum;
    return chunk;
}

/// Whether an iTXt chunk starts with XMP's keyword.
bool has_xmp(Bytes text) {
    constexpr std::string_view keyword("XML:com.adobe.xmp\0", 18);
    return text.size() > keyword.size() && std::equal(keyword.begin(), keyword.end(), text.begin());
}

}  // namespace

unsigned samples_of(PngColour colour) {
    switch (colour) {
        case PngColour::grey:
        case PngColour::palette:
            return 1;
        case PngColour::grey_alpha:
            return 2;
        case PngColour::rgb:
            return 3;
        case PngColour::rgba:
            return 4;
    }
    return 0;
}

namespace {

bool may_have_bits(PngColour colour, unsigned bits) {
    if (bits == 8) return true;
    if (bits == 16) return colour != PngColour::palette;
    const bool is_small = bits == 1 || bits == 2 || bits == 4;
    return is_small && (colour == PngColour::grey || colour == PngColour::palette);
}

/// Width, height, bits per sample, colour type, compression, filter method, interlace method.
void read_header(Bytes header, PngChunks& chunks) {
    chunks.size = {big_endian(header, 0, 4), big_endian(header, 4, 4)};
    chunks.bits = header[8];
    chunks.colour = static_cast<PngColour>(header[9]);
    const std::string found = std::to_string(header[8]) + " bits of colour type " + std::to_string(header[9]);
    if (samples_of(chunks.colour) == 0 || !may_have_bits(chunks.colour, chunks.bits)) {
        fail(signature_bytes, "IHDR names " + found + ", which PNG does not have");
    }
    if (header[10] != 0 || header[11] != 0 || header[12] > 1) {
        fail(signature_bytes, "IHDR names a compression, filter or interlace method that PNG does not have");
    }
    chunks.is_interlaced = header[12] == 1;
}

void read_palette(Bytes palette, std::size_t offset, PngChunks& chunks) {
    constexpr std::size_t colour_bytes = 3;
    constexpr std::size_t most_bytes = 256 * colour_bytes;
    if (palette.empty() || palette.size() > most_bytes || palette.size() % colour_bytes != 0) {
        fail(offset, "PLTE of " + std::to_string(palette.size()) +
                         " bytes, expected three for each of 1 to 256 colours");
    }
    chunks.palette = palette;
}

void read_intact(const Chunk& chunk, std::size_t offset, PngChunks& chunks) {
    if (chunk.type == "IHDR" && offset == signature_bytes) {
        read_header(chunk.data, chunks);
    } else if (chunk.type == "IHDR") {
        fail(offset, "a second IHDR");
    } else if (chunk.type == "PLTE" && chunks.data.empty()) {
        read_palette(chunk.data, offset, chunks);
    } else if (chunk.type == "tRNS" && chunks.transparency.empty() && chunks.data.empty()) {
        chunks.transparency = chunk.data;
    } else if (chunk.type == "IDAT") {
        chunks.data.push_back(chunk.data);
        chunks.data_bytes += chunk.data.size();
    } else if (chunk.type == "eXIf" && chunks.exif.empty()) {
        chunks.exif = chunk.data;
    } else if (chunk.type == "iTXt" && chunks.xmp.empty() && has_xmp(chunk.data)) {
        chunks.xmp = chunk.data;
    }
}

}  // namespace

PngChunks read_png_chunks(Bytes file) {
    PngChunks chunks;
    std::size_t offset = signature_bytes;
    for (std::string type; type != "IEND";) {
        const Chunk chunk = read_chunk(file, offset);
        if (!chunk.is_intact && !chunk.is_ancillary) {
            fail(offset, "the checksum (CRC-32) of " + chunk.type + " is wrong: the file is damaged");
        }
        if (chunk.is_intact) read_intact(chunk, offset, chunks);
        type = chunk.type;
        offset += frame_bytes + chunk.data.size();
    }
    return chunks;
}

}  // namespace vgg19
