#include "engine/forward.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/layers/folded_pool.h"
#include "kernels/common/parallel.h"

namespace vgg19 {

namespace {

/// Writes the time between laps, one a step; free when nobody asks.
class Stopwatch {
  public:
    explicit Stopwatch(std::span<double> seconds) : seconds_(seconds) {
        if (!seconds_.empty()) last_ = Clock::now();
    }
    void lap() {
        if (seconds_.empty()) return;
        const Clock::time_point now = Clock::now();
        seconds_[step_++] = std::chrono::duration<double>(now - last_).count();
        last_ = now;
    }

  private:
    using Clock = std::chrono::steady_clock;
    std::span<double> seconds_;
    std::size_t step_ = 0;
    Clock::time_point last_;
};

}  // namespace

ForwardPass::ForwardPass(const model::ModelFile& file, const Plan& plan) {
    const model::Network& network = file.network();
    for (std::size_t index = 0; index < network.convolutions().size(); ++index) {
        add_convolution(file, network.convolutions()[index], plan.execution, plan.convolutions[index]);
    }
    add_average_pool(file, plan);
    for (const model::DenseLayer& layer : network.dense_layers()) add_dense(file, layer, plan);

    for (std::size_t parity = 0; parity < activations_.size(); ++parity) {
        activations_[parity] = kernels::AlignedBuffer(largest_activation_[parity] * sizeof(float));
    }
    std::size_t scratch_bytes = 0;
    for (const ConvolutionBlock& block : blocks_) {
        scratch_bytes = std::max(scratch_bytes, block.convolution->scratch_bytes());
    }
    scratch_ = kernels::AlignedBuffer(scratch_bytes);
}

void ForwardPass::run(const float* image, float* logits, std::span<double> seconds,
                      const LayerObserver& observer) {
    Stopwatch watch(seconds);
    std::size_t layer = 0;
    const float* input = image;
    auto* output = activations_[0].as<float>();
    auto* other = activations_[1].as<float>();
    const auto step_done = [&] {
        input = std::exchange(output, std::exchange(other, output));
        watch.lap();
    };

    for (const ConvolutionBlock& block : blocks_) {
        if (observer) observer(layer++, input);
        block.convolution->run(input, output, scratch_.data());
        step_done();
        if (!block.pool) continue;
        block.pool->run(input, output);
        step_done();
    }
    average_pool_->run(input, output);
    step_done();
    for (const auto& dense : dense_layers_) {
        if (observer) observer(layer++, input);
        dense->run(input, dense == dense_layers_.back() ? logits : output);
        step_done();
    }
}

void ForwardPass::add_step(PlanStep step, std::size_t output_floats) {
    // run() lets the steps write to the two buffers in turn.
    std::size_t& largest = largest_activation_[steps_.size() % largest_activation_.size()];
    largest = std::max(largest, output_floats);
    steps_.push_back(std::move(step));
}

void ForwardPass::add_convolution(const model::ModelFile& file, const model::ConvolutionLayer& layer,
                                  const layers::Execution& execution, const PlannedConvolution& planned) {
    const std::size_t side = planned.shape.side;
    const auto floats = [&](std::size_t channels, std::size_t map_side) {
        return kernels::blocked_size(execution.batch, channels, map_side, map_side,
                                     execution.channel_block());
    };
    const model::Tensor& weights = file.tensor(model::weight_name(layer.name));
    ConvolutionBlock block;
    block.convolution =
        layers::make_convolution(planned.algorithm(), planned.shape,
                                 {.weights = weights.as<float>().data(),
                                  .bias = file.tensor(model::bias_name(layer.name)).as<float>().data()},
                                 execution);
    file.file().mapping().release(weights.bytes);  // packed: the file's copy is not read again

    const std::size_t input_floats = planned.shape.plain_input
                                         ? execution.batch * layer.input_channels * side * side
                                         : floats(layer.input_channels, side);
    const bool pools = block.convolution->pools();
    const std::size_t output_floats = floats(layer.output_channels, pools ? side / 2 : side);
    add_step({.layer = layer.name + (pools ? " and pool" : ""),
              .kernel = block.convolution->kernel(),
              .macs = planned.shape.direct_operations() / 2,
              .operations = block.convolution->operations(),
              .weight_bytes = block.convolution->weight_bytes(),
              .activation_bytes = (input_floats + output_floats) * sizeof(float)},
             output_floats);
    if (layer.pool_follows && !pools) {
        block.pool.emplace(layer.output_channels, side, execution);
        const std::size_t pooled_floats = floats(layer.output_channels, side / 2);
        add_step({.layer = "pool after " + layer.name,
                  .kernel = block.pool->kernel(),
                  .activation_bytes = (output_floats + pooled_floats) * sizeof(float)},
                 pooled_floats);
    }
    blocks_.push_back(std::move(block));
}

void ForwardPass::add_average_pool(const model::ModelFile& file, const Plan& plan) {
    const model::Network& network = file.network();
    const model::ConvolutionLayer& last = network.convolutions().back();
    const model::DenseLayer& first_dense = network.dense_layers().front();
    const std::size_t side = network.map_size(last, plan.input_size) / 2;
    const bool fold = side < model::pooled_side && file.order(first_dense) == model::DenseOrder::input_major;
    if (fold) fold_average_pool(file, plan, side);

    const layers::Execution& execution = plan.execution;
    const std::size_t output_side = fold ? side : model::pooled_side;
    average_pool_.emplace(last.output_channels, side, output_side, execution);
    const std::size_t output_floats = execution.batch * last.output_channels * output_side * output_side;
    const std::size_t input_floats =
        kernels::blocked_size(execution.batch, last.output_channels, side, side, execution.channel_block());
    add_step({.layer = fold ? "flatten" : "average pool",
              .kernel = average_pool_->kernel(),
              .activation_bytes = (input_floats + output_floats) * sizeof(float)},
             output_floats);
}

void ForwardPass::fold_average_pool(const model::ModelFile& file, const Plan& plan, std::size_t side) {
    const model::DenseLayer& layer = file.network().dense_layers().front();
    const std::size_t channels = file.network().convolutions().back().output_channels;
    const model::Tensor& weights = file.weight(layer);
    folded_weights_ = kernels::AlignedBuffer(channels * side * side * layer.outputs * sizeof(float));
    const layers::FoldedPool fold = {.side = side,
                                     .pooled_side = model::pooled_side,
                                     .outputs = layer.outputs,
                                     .weights = weights.as<float>().data(),
                                     .folded = folded_weights_.as<float>()};
    const std::size_t channel_bytes = weights.bytes.size() / channels;
    kernels::parallel_for(plan.execution.threads, channels, [&](std::size_t channel) {
        layers::fold_average_pool(fold, channel, channel + 1);
        file.file().mapping().release(weights.bytes.subspan(channel * channel_bytes, channel_bytes));
    });
}

void ForwardPass::add_dense(const model::ModelFile& file, const model::DenseLayer& layer, const Plan& plan) {
    const std::size_t batch = plan.execution.batch;
    const bool folded = dense_layers_.empty() && folded_weights_.size() > 0;
    const std::size_t inputs = folded ? folded_weights_.size() / sizeof(float) / layer.outputs : layer.inputs;
    layers::DenseProblem problem = {.inputs = inputs,
                                    .outputs = layer.outputs,
                                    .relu_follows = layer.relu_follows,
                                    .bias = file.tensor(model::bias_name(layer.name)).as<float>().data()};
    const model::Tensor& weights = file.weight(layer);
    if (folded) {
        problem.input_major_weights = folded_weights_.as<float>();
    } else if (file.order(layer) == model::DenseOrder::input_major) {
        problem.input_major_weights = weights.as<float>().data();
    } else if (file.is_int8(layer.name)) {
        problem.int8_weights = weights.as<std::int8_t>().data();
        problem.weight_scale = file.tensor(model::weight_scale_name(layer.name)).as<float>().data();
    } else {
        problem.weights = weights.as<float>().data();
    }
    dense_layers_.push_back(layers::make_dense(problem, plan.execution));
    add_step({.layer = layer.name,
              .kernel = dense_layers_.back()->kernel(),
              .macs = model::Network::macs(layer),
              .operations = 2 * batch * inputs * layer.outputs,
              .weight_bytes = dense_layers_.back()->weight_bytes(),
              .activation_bytes = batch * (inputs + layer.outputs) * sizeof(float)},
             batch * layer.outputs);
}

}  // namespace vgg19
