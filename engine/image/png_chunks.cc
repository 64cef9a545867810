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

PngChunks read_png_chunks(Bytes file) {
    PngChunks chunks;
    std::size_t offset = signature_bytes;
    for (std::string type; type != "IEND";) {
        const Chunk chunk = read_chunk(file, offset);
        if (!chunk.is_intact && !chunk.is_ancillary) {
            fail(offset, "the checksum (CRC-32) of " + chunk.type + " is wrong: the file is damaged");
        }
        if (!chunk.is_intact) {
            chunks.discarded.push_back(offset);
        } else if (chunk.type == "eXIf" && chunks.exif.empty()) {
            chunks.exif = chunk.data;
        } else if (chunk.type == "iTXt" && chunks.xmp.empty() && has_xmp(chunk.data)) {
            chunks.xmp = chunk.data;
        }
        type = chunk.type;
        offset += frame_bytes + chunk.data.size();
    }
    constexpr std::size_t size_offset = signature_bytes + 8;
    chunks.size = {big_endian(file, size_offset, 4), big_endian(file, size_offset + 4, 4)};
    return chunks;
}

std::vector<std::uint8_t> without_discarded(Bytes file, const PngChunks& chunks) {
    constexpr std::string_view unknown = "unKn";  // first and last letter lower case: ancillary and private
    std::vector<std::uint8_t> copy(file.begin(), file.end());
    for (const std::size_t offset : chunks.discarded) {
        std::copy(unknown.begin(), unknown.end(), copy.begin() + static_cast<std::ptrdiff_t>(offset) + 4);
    }
    return copy;
}

}  // namespace vgg19
