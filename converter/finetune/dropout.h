// Inverted dropout, as in PyTorch, with a counter-based generator: whether a value is dropped depends only on
// (key, layer, index).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vgg19::converter {

/// Zeroes each value with this probability, and multiplies the others by 1 / (1 − probability). `probability`
/// is at least 0 and below 1; at 0 nothing changes.
void drop_out(std::uint64_t key, std::uint32_t layer, double probability, std::span<float> values);

}  // namespace vgg19::converter
