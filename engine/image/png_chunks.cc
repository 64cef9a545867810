#include "engine/image/png_chunks.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "vgg19/error.h"

namespace vgg19 {
namespace {

constexpr std::size_t signature_bytes = 8;
constexpr std::size_t frame_bytes = 12;  // length and type before the data, a checksum behind it

[[noreturn]] void fail(std::size_t offset, const std::string& what) {
    throw Error(ErrorKind::bad_input, "chunk at offset " + std::to_string(offset) + ": " + what);
}

/// The type as text, for messages too.
std::string type_at(Bytes file, std::size_t offset) {
    std::string type(4, '?');
    for (std::size_t i = 0; i < type.size(); ++i) {
        const std::uint8_t byte = file[offset + i];
        if (byte > ' ' && byte < 0x7F) type[i] = static_cast<char>(byte);
    }
    return type;
}

}  // namespace

PixelSize check_png_chunks(Bytes file) {
    constexpr std::array<std::string_view, 4> known = {"IHDR", "PLTE", "IDAT", "IEND"};
    constexpr std::size_t header_length = 13;
    constexpr std::size_t size_offset = signature_bytes + 8;
    constexpr std::uint8_t ancillary_bit = 0x20;  // of the type's first letter: lower case

    std::size_t offset = signature_bytes;
    for (std::string type; type != "IEND";) {
        const std::size_t left = file.size() - offset;
        if (left < frame_bytes) fail(offset, "expected a chunk, found the end of the file: it is cut short");
        const std::size_t length = big_endian(file, offset, 4);
        type = type_at(file, offset + 4);
        if (offset == signature_bytes && (type != "IHDR" || length != header_length)) {
            fail(offset, "expected IHDR of 13 bytes, found " + type + " of " + std::to_string(length));
        }
        const bool is_ancillary = (file[offset + 4] & ancillary_bit) != 0;
        if (!is_ancillary && std::find(known.begin(), known.end(), type) == known.end()) {
            fail(offset, "critical chunk of unknown type " + type);
        }
        if (length > left - frame_bytes) {
            fail(offset, type + " of " + std::to_string(length) + " bytes passes the end of the file, " +
                             std::to_string(left) + " bytes away: it is cut short");
        }
        offset += frame_bytes + length;
    }
    return {big_endian(file, size_offset, 4), big_endian(file, size_offset + 4, 4)};
}

}  // namespace vgg19
