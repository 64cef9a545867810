// The checksums of PNG.
#pragma once

#include <cstdint>

#include "engine/image/bytes.h"

namespace vgg19 {

/// False in a build for a fuzzer, whose files would hardly ever get past them.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
inline constexpr bool checksums_count = false;
#else
inline constexpr bool checksums_count = true;
#endif

/// ISO/IEC 15948, annex D: of a chunk's type and data.
std::uint32_t crc32(Bytes bytes);

/// RFC 1950, section 8.2: of what a zlib stream unpacks to.
std::uint32_t adler32(Bytes bytes);

}  // namespace vgg19
