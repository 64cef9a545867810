// The checksums of PNG.
#pragma once

#include <cstdint>

#include "engine/image/bytes.h"

namespace vgg19 {

/// ISO/IEC 15948, annex D: of a chunk's type and data.
std::uint32_t crc32(Bytes bytes);

/// RFC 1950, section 8.2: of what a zlib stream unpacks to.
std::uint32_t adler32(Bytes bytes);

}  // namespace vgg19
