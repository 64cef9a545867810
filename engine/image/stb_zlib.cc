#include "engine/image/stb_zlib.h"

#include "engine/image/checksums.h"
#include "engine/image/stb_allocation.h"

// Only zlib here; stb.cc has the formats.
#define STBI_NO_JPEG
#define STBI_NO_PNG
#define STBI_NO_BMP
#define STBI_NO_GIF
#define STBI_NO_PSD
#define STBI_NO_TGA
#define STBI_NO_HDR
#define STBI_NO_PIC
#define STBI_NO_PNM
#define STBI_SUPPORT_ZLIB
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>

namespace vgg19::stb {
namespace {

constexpr std::size_t checksum_bytes = 4;

/// The decoder reads ahead of the bits that it needs. It appends zeros after the end of the stream only where
/// the four bytes of the checksum are missing, so that the result is right wherever there is a checksum.
std::size_t bytes_used(const stbi__zbuf& zlib, Bytes stream) {
    const auto read = static_cast<std::size_t>(zlib.zbuffer - stream.data());
    const auto ahead = static_cast<std::size_t>(zlib.num_bits) / 8;
    return ahead > read ? 0 : read - ahead;
}

}  // namespace

Unpacked unpack_zlib(Bytes stream, std::size_t expected_size) {
    auto* room = static_cast<char*>(allocate(expected_size));
    if (room == nullptr) return {.failure = "outofmem"};
    stbi__zbuf zlib{};
    zlib.zbuffer = const_cast<stbi_uc*>(stream.data());
    zlib.zbuffer_end = zlib.zbuffer + stream.size();
    const int unpacked = stbi__do_zlib(&zlib, room, static_cast<int>(expected_size), 1, 1);
    Unpacked result{.data = zlib.zout_start, .size = static_cast<std::size_t>(zlib.zout - zlib.zout_start)};
    if (unpacked == 0) {
        result.failure = stbi_failure_reason();
    } else {
        const Bytes data(reinterpret_cast<const std::uint8_t*>(result.data), result.size);
        const std::size_t end = bytes_used(zlib, stream);
        if (stream.size() - end < checksum_bytes) {
            result.failure = "the data end before their checksum: they are cut short";
        } else if (checksums_count && big_endian(stream, end, checksum_bytes) != adler32(data)) {
            result.failure = "the data's checksum (Adler-32) is wrong: they are damaged";
        }
    }
    if (result.failure == nullptr) return result;
    std::free(result.data);
    return {.failure = result.failure};
}

}  // namespace vgg19::stb
