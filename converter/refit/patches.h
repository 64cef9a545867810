// Samples a layer's input: the 3×3 surroundings of some positions of a map.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "converter/quantize/statistics.h"

namespace vgg19::converter {

/// `count` distinct positions in [0, positions), ascending; all if there are not more. The same seed gives
/// the same positions.
std::vector<std::size_t> sample_positions(std::size_t positions, std::size_t count, std::uint64_t seed);

/// The contents of a sample: 9 taps per channel, row by row, or only the value at the position.
enum class Surroundings : unsigned char { none, taps_3x3 };

constexpr std::size_t row_taps(Surroundings surroundings) {
    return surroundings == Surroundings::none ? 1 : 9;
}

/// Writes [channel][tap] of the given channels around a position; zeros beyond the map's border.
void gather_row(const BlockedMap& map, std::span<const std::size_t> channels, std::size_t position,
                Surroundings surroundings, float* row);

}  // namespace vgg19::converter
