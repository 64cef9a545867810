// The zlib streams of PNG, unpacked by stb_image and verified, which stb_image leaves out.
#pragma once

#include "engine/image/bytes.h"

namespace vgg19::stb {

/// A block that std::free takes; null where unpacking failed.
struct Unpacked {
    char* data = nullptr;
    std::size_t size = 0;
    const char* failure = nullptr;  ///< the reason, where data is null
};

/// Unpacks an RFC 1950 stream, with room for `expected_size` bytes at first. Bytes behind the stream do no
/// harm.
Unpacked unpack_zlib(Bytes stream, std::size_t expected_size);

}  // namespace vgg19::stb
