// Helpers to read the headers of image files: numbers, and the size of the picture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vgg19 {

using Bytes = std::span<const std::uint8_t>;

struct PixelSize {
    std::size_t width = 0;
    std::size_t height = 0;
};

/// The `count` (at most 4) bytes at `offset`. The caller has checked the bounds.
inline std::uint32_t big_endian(Bytes bytes, std::size_t offset, std::size_t count) {
    std::uint32_t value = 0;
    for (const std::uint8_t byte : bytes.subspan(offset, count)) value = value << 8U | byte;
    return value;
}

inline std::uint32_t little_endian(Bytes bytes, std::size_t offset, std::size_t count) {
    std::uint32_t value = 0;
    for (std::size_t i = count; i > 0; --i) value = value << 8U | bytes[offset + i - 1];
    return value;
}

}  // namespace vgg19
