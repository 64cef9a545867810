// DEFLATE, through zlib.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vgg19::converter {

/// Unpacks data of `size` bytes. Throws Error (bad_input), without a name, for corrupt data, another size,
/// more than DEFLATE can produce from the input (checked before allocating), and in a build without zlib.
std::vector<std::byte> inflated(std::span<const std::byte> packed, std::uint64_t size);

}  // namespace vgg19::converter
