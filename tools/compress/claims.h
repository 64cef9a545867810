// Which models are shown, and which of them are said to keep the promise.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/compress/search.h"

namespace vgg19::tools {

/// The trials of which no other is at least as good in accuracy on held-out images, time and bytes, and
/// better in one of them; without those that lose far more than the promise, unless nothing else is there. As
/// indices, the slowest first.
std::vector<std::size_t> front_of(const std::vector<Trial>& trials, double max_drop);

/// The order in which models are judged on the test images, as indices of `models`: those within the limits
/// alone, the most certain on held-out images first. It is fixed before the first of them is judged, so that
/// each may be judged at the full level (fixed-sequence testing, Maurer, Hothorn and Lehmacher 1995).
std::vector<std::size_t> claim_order(const std::vector<Trial>& models, const std::vector<double>& measured_ms,
                                     const Promise& promise);

enum class Claim : unsigned char {
    kept,       ///< the drop's upper bound is within the promise, and so was that of all before it
    not_kept,   ///< it is not
    not_tried,  ///< after the first that is not, or outside the limits
};
const char* claim_name(Claim claim);

/// By model. `test` are the counts on the test images.
std::vector<Claim> claims_of(const std::vector<std::size_t>& order,
                             const std::vector<converter::PairedCounts>& test, double max_drop);

}  // namespace vgg19::tools
