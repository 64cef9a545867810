// Widths for a network that may cost so much.
#pragma once

#include <cstddef>
#include <vector>

#include "converter/prune/scan.h"
#include "engine/model/network.h"

namespace vgg19::converter {

struct MacTarget {
    double share = 0.5;  ///< of the network's multiply-accumulates at input_size, that may remain
    MapSize input_size = 224;
    std::size_t round_to = 1;  ///< widths are multiples of this, but for layers that lose nothing
};

/// How many filters each convolution loses: step by step where the scan expects the least error for the work
/// saved, until no more than the target's share remains. Errors of layers count as independent: their squares
/// add. Between the scan's points the square is interpolated; a layer keeps what the last of them kept, and
/// at least round_to filters. Throws Error (usage) for a share that is not within (0, 1], and for one that
/// the scanned layers cannot reach.
std::vector<std::size_t> removed_for_target(const model::Network& network,
                                            const std::vector<LayerScan>& layers, const MacTarget& target);

}  // namespace vgg19::converter
