// What a network is expected to take and to store, from its widths alone: for searches over many networks.
#pragma once

#include <array>
#include <cstddef>
#include <map>

#include "engine/model/network.h"
#include "engine/program/plan.h"
#include "vgg19/session.h"

namespace vgg19 {

/// The expected time of networks that differ in their widths, by the planner's cost model. Not thread-safe.
class ExpectedNetworkTime {
  public:
    /// Of sessions with these options, for FP32 or with all layers but the first in INT8. The input size must
    /// be given.
    ExpectedNetworkTime(SessionOptions options, Arithmetic arithmetic)
        : options_(std::move(options)), arithmetic_(arithmetic) {}

    /// Of one run of the options' batch: the sum of expected_run() of make_plan(network, …). In INT8, a
    /// layer's time depends on its own widths alone and is computed once for each; `network` must then have
    /// as many layers as those before, with the same pools and the same pooled side. Throws Error as
    /// make_plan does.
    double seconds(const model::Network& network);

  private:
    /// Layer, input channels, output channels.
    using Key = std::array<std::size_t, 3>;
    double planned_seconds(const model::Network& network);

    SessionOptions options_;
    Arithmetic arithmetic_;
    std::map<Key, double> known_;
};

}  // namespace vgg19
