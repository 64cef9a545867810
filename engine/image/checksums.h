// The checksums of PNG, and of zip files.
#pragma once

#include <cstdint>

#include "engine/image/bytes.h"

namespace vgg19 {

/// False in a build for a fuzzer: random files would almost never pass the checksums.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
inline constexpr bool checksums_count = false;
#else
inline constexpr bool checksums_count = true;
#endif

/// ISO/IEC 15948, annex D: over a chunk's type and data. It is zip's too. `before` is the checksum of what
/// comes before these bytes.
std::uint32_t crc32(Bytes bytes, std::uint32_t before = 0);

/// RFC 1950, section 8.2: over the uncompressed data of a zlib stream. `before` is the checksum of what comes
/// before these bytes.
std::uint32_t adler32(Bytes bytes, std::uint32_t before = 1);

}  // namespace vgg19
