// How many bytes quantised weights take once they are entropy-coded.
#pragma once

#include <cstdint>
#include <span>

namespace vgg19::converter {

/// The bytes of the weights in Huffman's code for how often each level occurs, without the table of the code.
/// Zstandard codes bytes without repetitions in this way, in blocks, and so comes within a few percent of it.
std::uint64_t huffman_bytes(std::span<const std::int8_t> weights);

}  // namespace vgg19::converter
