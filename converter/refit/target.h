// Chooses layer widths for a given cost.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "converter/refit/scan.h"
#include "engine/model/network.h"

namespace vgg19::converter {

/// A cost that the pruned network must not exceed.
struct CostLimit {
    std::string name;  ///< for messages: "milliseconds"
    double most = 0;   ///< more than 0
    /// Of a network whose widths are at most the original ones; called once a step.
    std::function<double(const model::Network&)> cost;
    /// About the same, to compare the next steps by; called some hundred times a step.
    std::function<double(const model::Network&)> estimate = cost;
};

/// At most this share of the network's multiply-accumulates at input_size. Throws Error (usage) for a share
/// outside (0, 1].
CostLimit mac_limit(const model::Network& network, double share, MapSize input_size);

/// The number of filters to remove from each of prunable_layers(). Greedy: each step takes the layer with the
/// least expected error per saved cost, until every limit holds. With several limits, the saved cost is the
/// sum over the limits that do not hold yet, each in shares of what is too much at the start. Errors of
/// layers are assumed independent, so their squares add. The squared error is interpolated between the scan's
/// points. A layer keeps at least as many filters as at its last point, and at least round_to; widths are
/// multiples of round_to, except in unchanged layers. Throws Error (usage) for limits that the scanned layers
/// cannot reach.
std::vector<std::size_t> removed_for_limits(const model::Network& network,
                                            const std::vector<LayerScan>& layers,
                                            const std::vector<CostLimit>& limits, std::size_t round_to);

}  // namespace vgg19::converter
