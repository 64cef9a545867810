// Samples of what a layer sees: the 3×3 surroundings of some positions of a map.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "converter/quantize/statistics.h"

namespace vgg19::converter {

/// `count` of the positions [0, positions) without repetition, ascending; all of them where they are no more.
/// The same seed gives the same ones.
std::vector<std::size_t> sample_positions(std::size_t positions, std::size_t count, std::uint64_t seed);

/// How a row of a sample is made of a map: 9 taps a channel, row by row, or the value at the position alone.
enum class Surroundings : unsigned char { none, taps_3x3 };

constexpr std::size_t row_taps(Surroundings surroundings) {
    return surroundings == Surroundings::none ? 1 : 9;
}

/// Writes [channel][tap] of the given channels around a position; zeros where the map has ended.
void gather_row(const BlockedMap& map, std::span<const std::size_t> channels, std::size_t position,
                Surroundings surroundings, float* row);

}  // namespace vgg19::converter
