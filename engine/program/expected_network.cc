#include "engine/program/expected_network.h"

#include "engine/program/expected_run.h"

namespace vgg19 {

double ExpectedNetworkTime::layer_seconds(const model::Network& network, std::size_t layer) {
    Plan plan = *plan_;
    if (layer < plan.convolutions.size()) {
        plan.convolutions[layer] =
            plan_convolution(network, plan, types_, convolution_choice(options_), layer);
    }
    // The steps of the other layers have the wrong widths, and are not looked at.
    plan.steps.clear();
    plan.first_steps.clear();
    plan_steps(network, types_, plan);
    double seconds = 0;
    for (std::size_t i = plan.first_steps[layer]; i < plan.first_steps[layer + 1]; ++i) {
        seconds += step_work(plan, plan.steps[i]).time(plan.execution).seconds;
    }
    return seconds;
}

double ExpectedNetworkTime::seconds_by_layer(const model::Network& network) {
    if (!plan_) {
        plan_ = make_plan(network, {}, options_, arithmetic_);
        types_ = weight_types(network, arithmetic_);
    }
    double sum = 0;
    std::size_t layer = 0;
    const auto add = [&](std::size_t inputs, std::size_t outputs) {
        const auto [found, is_new] = known_.try_emplace(Key{layer, inputs, outputs}, 0.0);
        if (is_new) found->second = layer_seconds(network, layer);
        sum += found->second;
        ++layer;
    };
    for (const model::ConvolutionLayer& convolution : network.convolutions()) {
        add(convolution.input_channels, convolution.output_channels);
    }
    for (const model::DenseLayer& dense : network.dense_layers()) add(dense.inputs, dense.outputs);
    return sum;
}

double ExpectedNetworkTime::seconds(const model::Network& network) {
    if (arithmetic_ == Arithmetic::int8) return seconds_by_layer(network);
    return expected_run(make_plan(network, {}, options_, arithmetic_)).all.seconds;
}

}  // namespace vgg19
