// DEFLATE, through zlib.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vgg19::converter {

/// Unpacks what gives `size` bytes. Throws Error (bad_input), without a name: broken data, another size, more
/// than DEFLATE can make of that many bytes (so that no memory is taken for it), or a build without zlib.
std::vector<std::byte> inflated(std::span<const std::byte> packed, std::uint64_t size);

}  // namespace vgg19::converter
