// Chooses layer widths for a given computational cost.
#pragma once

#include <cstddef>
#include <vector>

#include "converter/refit/scan.h"
#include "engine/model/network.h"

namespace vgg19::converter {

struct MacTarget {
    double share = 0.5;  ///< the share of the network's multiply-accumulates at input_size that may remain
    MapSize input_size = 224;
    std::size_t round_to = 1;  ///< widths are multiples of this, except in unchanged layers
};

/// The number of filters to remove from each convolution. Greedy: each step takes the layer with the least
/// expected error per saved work, until at most the target's share remains. Errors of layers are assumed
/// independent, so their squares add. The squared error is interpolated between the scan's points. A layer
/// keeps at least as many filters as at its last point, and at least round_to. Throws Error (usage) for a
/// share outside (0, 1], and for one that the scanned layers cannot reach.
std::vector<std::size_t> removed_for_target(const model::Network& network,
                                            const std::vector<LayerScan>& layers, const MacTarget& target);

}  // namespace vgg19::converter
