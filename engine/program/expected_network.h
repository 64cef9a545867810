// What a network is expected to take, from its widths alone: for searches over many networks.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>

#include "engine/model/network.h"
#include "engine/program/plan.h"
#include "engine/program/planning.h"
#include "vgg19/session.h"

namespace vgg19 {

/// The expected time of networks that differ in their widths, by the planner's cost model. Not thread-safe.
class ExpectedNetworkTime {
  public:
    /// Of sessions with these options, for FP32 or with all layers but the first in INT8. The input size must
    /// be given.
    ExpectedNetworkTime(SessionOptions options, Arithmetic arithmetic)
        : options_(std::move(options)), arithmetic_(arithmetic) {}

    /// Of one run of the options' batch: the sum of expected_run() of make_plan(network, …). All networks
    /// must have as many layers, with the same pools and the same pooled side. Throws Error as make_plan
    /// does.
    double seconds(const model::Network& network);

    /// The same, but as if each layer were planned alone, and computed only once for its widths. In INT8 that
    /// is seconds(); in FP32 it may be a little less, because a session bounds the memory of all filters
    /// together.
    double seconds_by_layer(const model::Network& network);

  private:
    /// Layer, input channels, output channels.
    using Key = std::array<std::size_t, 3>;
    double layer_seconds(const model::Network& network, std::size_t layer);

    SessionOptions options_;
    Arithmetic arithmetic_;
    WeightTypes types_;
    std::optional<Plan> plan_;  ///< of the first network
    std::map<Key, double> known_;
};

}  // namespace vgg19
