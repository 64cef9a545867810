// Unpacks the zlib streams of PNG with stb_image and verifies their checksums, which stb_image ignores.
#pragma once

#include "engine/image/bytes.h"

namespace vgg19::stb {

/// A block to free with std::free; null where unpacking failed.
struct Unpacked {
    char* data = nullptr;
    std::size_t size = 0;
    const char* failure = nullptr;  ///< the reason, where data is null
};

/// Unpacks an RFC 1950 stream; the buffer starts at `expected_size` bytes and grows. Bytes after the stream
/// are ignored.
Unpacked unpack_zlib(Bytes stream, std::size_t expected_size);

}  // namespace vgg19::stb
