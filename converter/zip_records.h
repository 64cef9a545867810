// The records of a zip file, for its reader and its writer (PKWARE's APPNOTE, sections 4.3.7 to 4.3.16, 4.4
// and 4.5.3).
#pragma once

#include <cstdint>

namespace vgg19::converter::zip {

inline constexpr std::uint32_t local_signature = 0x04034b50;
inline constexpr std::uint32_t entry_signature = 0x02014b50;
inline constexpr std::uint32_t end_signature = 0x06054b50;
inline constexpr std::uint32_t end64_signature = 0x06064b50;
inline constexpr std::uint32_t locator64_signature = 0x07064b50;

/// The extra field that holds numbers of 64 bits, and what stands in place of such a number.
inline constexpr std::uint16_t zip64_field = 1;
inline constexpr std::uint32_t in_zip64 = 0xffffffff;

}  // namespace vgg19::converter::zip
