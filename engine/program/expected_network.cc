#include "engine/program/expected_network.h"

#include <vector>

#include "engine/program/expected_run.h"

namespace vgg19 {

namespace {

using Key = std::array<std::size_t, 3>;

/// One per layer: its place, and its widths.
std::vector<Key> keys_of(const model::Network& network) {
    std::vector<Key> keys;
    for (const model::ConvolutionLayer& layer : network.convolutions()) {
        keys.push_back({keys.size(), layer.input_channels, layer.output_channels});
    }
    for (const model::DenseLayer& layer : network.dense_layers()) {
        keys.push_back({keys.size(), layer.inputs, layer.outputs});
    }
    return keys;
}

}  // namespace

double ExpectedNetworkTime::planned_seconds(const model::Network& network) {
    const Plan plan = make_plan(network, {}, options_, arithmetic_);
    const std::vector<Key> keys = keys_of(network);
    double sum = 0;
    for (std::size_t layer = 0; layer < plan.layer_count(); ++layer) {
        double seconds = 0;
        for (std::size_t i = plan.first_steps[layer]; i < plan.first_steps[layer + 1]; ++i) {
            seconds += step_work(plan, plan.steps[i]).time(plan.execution).seconds;
        }
        known_[keys[layer]] = seconds;
        sum += seconds;
    }
    return sum;
}

double ExpectedNetworkTime::seconds(const model::Network& network) {
    // The planner bounds the memory of all FP32 filters together, so that one layer's widths can change what
    // runs another.
    if (arithmetic_ == Arithmetic::fp32) return planned_seconds(network);
    double sum = 0;
    for (const Key& key : keys_of(network)) {
        const auto found = known_.find(key);
        if (found == known_.end()) return planned_seconds(network);
        sum += found->second;
    }
    return sum;
}

}  // namespace vgg19
