// What surrounds the deflated data in a zlib stream (RFC 1950).
#pragma once

#include <array>

#include "engine/image/bytes.h"

namespace vgg19 {

inline constexpr std::size_t zlib_header_bytes = 2;
inline constexpr std::size_t zlib_checksum_bytes = 4;

/// Throws Error (bad_input) for other compressions, and for a dictionary, which PNG forbids.
void check_zlib_header(const std::array<std::uint8_t, zlib_header_bytes>& header);

/// Throws Error (bad_input) if the bytes after the data are not their checksum.
void check_adler32(Bytes stored, std::uint32_t computed);

[[noreturn]] void fail_stream_cut_short();
[[noreturn]] void fail_stream_goes_on();
[[noreturn]] void fail_without_checksum();

}  // namespace vgg19
