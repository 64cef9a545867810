#include "engine/forward.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/layers/folded_pool.h"
#include "kernels/common/parallel.h"
#include "kernels/dense/dense.h"

namespace vgg19 {

using layers::as_floats;
using layers::as_int8;

namespace {

static_assert(model::int4_group == kernels::int4_group);

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

/// An activation in the blocked layout, in FP32 or in 8 bits.
struct Map {
    std::size_t channels;
    std::size_t side;
    bool int8;

    std::size_t bytes(const layers::Execution& execution) const {
        const std::size_t block = int8 ? kernels::int8_channel_block : execution.channel_block();
        return kernels::blocked_size(execution.batch, channels, side, side, block) *
               (int8 ? sizeof(std::uint8_t) : sizeof(float));
    }
};

std::size_t input_bytes(const layers::ConvolutionShape& shape, const layers::Execution& execution) {
    if (shape.plain_input) {
        return execution.batch * shape.input_channels * shape.side * shape.side * sizeof(float);
    }
    return Map{shape.input_channels, shape.side, shape.type != layers::ConvolutionType::fp32}.bytes(
        execution);
}

/// One step of an INT8 convolution's input; 0 for one in FP32.
float input_scale(const model::ModelFile& file, const model::ConvolutionLayer& layer) {
    const model::Tensor* scale = file.find(model::input_scale_name(layer.name));
    return scale == nullptr ? 0 : scale->as<float>().front();
}

layers::ConvolutionWeights convolution_weights(const model::ModelFile& file,
                                               const model::ConvolutionLayer& layer) {
    const model::Tensor& weights = file.tensor(model::weight_name(layer.name));
    layers::ConvolutionWeights result;
    result.bias = file.tensor(model::bias_name(layer.name)).as<float>().data();
    if (!file.is_int8(layer.name)) {
        result.weights = weights.as<float>().data();
        return result;
    }
    result.int8_weights = weights.as<std::int8_t>().data();
    result.weight_scale = file.tensor(model::weight_scale_name(layer.name)).as<float>().data();
    result.input_scale = input_scale(file, layer);
    const model::Tensor* winograd = file.find(model::winograd_input_scale_name(layer.name));
    if (winograd != nullptr) result.winograd_input_scale = winograd->as<float>().data();
    return result;
}

/// A dense layer with the file's own weights.
layers::DenseProblem dense_problem(const model::ModelFile& file, const model::DenseLayer& layer) {
    const model::Tensor& weights = file.weight(layer);
    layers::DenseProblem problem = {.inputs = layer.inputs,
                                    .outputs = layer.outputs,
                                    .relu_follows = layer.relu_follows,
                                    .signed_input = layer.signed_input,
                                    .input_major = file.order(layer) == model::DenseOrder::input_major,
                                    .bias = file.tensor(model::bias_name(layer.name)).as<float>().data()};
    if (file.is_int4(layer.name)) {
        file.check_int4_scales(layer);
        problem.int4_weights = weights.as<std::uint8_t>().data();
        problem.int4_scale = file.tensor(model::int4_dense_scale(layer).name).as<std::uint16_t>().data();
    } else if (file.is_int8(layer.name)) {
        problem.int8_weights = weights.as<std::int8_t>().data();
        problem.weight_scale = file.tensor(model::weight_scale_name(layer.name)).as<float>().data();
    } else {
        problem.weights = weights.as<float>().data();
    }
    return problem;
}

}  // namespace

ForwardPass::ForwardPass(const model::ModelFile& file, const Plan& plan) {
    const model::Network& network = file.network();
    for (std::size_t index = 0; index < network.convolutions().size(); ++index) {
        add_convolution(file, plan, index);
    }
    add_average_pool(file, plan);
    for (const model::DenseLayer& layer : network.dense_layers()) add_dense(file, layer, plan);

    for (std::size_t parity = 0; parity < activations_.size(); ++parity) {
        activations_[parity] = kernels::AlignedBuffer(largest_activation_[parity]);
    }
    std::size_t scratch_bytes = 0;
    for (const ConvolutionBlock& block : blocks_) {
        scratch_bytes = std::max(scratch_bytes, block.convolution->scratch_bytes());
    }
    scratch_ = kernels::AlignedBuffer(scratch_bytes);
}

ForwardPass::Cursor ForwardPass::cursor_at(std::size_t layer, const float* input) {
    const std::size_t parity = first_steps_[layer] % activations_.size();
    return {reinterpret_cast<const std::byte*>(input), activations_[parity].data(),
            activations_[1 - parity].data()};
}

template <class StepDone>
void ForwardPass::run_layer(std::size_t layer, float* logits, const Cursor& cursor,
                            const StepDone& step_done) {
    if (layer >= blocks_.size()) {
        const bool last = layer + 1 == layer_count();
        dense_layers_[layer - blocks_.size()]->run(
            as_floats(cursor.input), last && logits != nullptr ? logits : as_floats(cursor.output));
        step_done();
        return;
    }
    const ConvolutionBlock& block = blocks_[layer];
    block.convolution->run(cursor.input, cursor.output, scratch_.data());
    step_done();
    if (block.pool) {
        block.pool->run(as_floats(cursor.input), as_floats(cursor.output));
        step_done();
    }
    if (block.quantization) {
        block.quantization->run(as_floats(cursor.input), as_int8(cursor.output));
        step_done();
    }
    if (layer + 1 == blocks_.size()) {
        average_pool_->run(as_floats(cursor.input), as_floats(cursor.output));
        step_done();
    }
}

void ForwardPass::run(const float* image, float* logits, std::span<double> seconds,
                      const LayerObserver& observer) {
    Stopwatch watch(seconds);
    Cursor cursor = cursor_at(0, image);
    const auto step_done = [&] {
        cursor.advance();
        watch.lap();
    };
    for (std::size_t layer = 0; layer < layer_count(); ++layer) {
        if (observer) observer(layer, as_floats(cursor.input));
        run_layer(layer, logits, cursor, step_done);
    }
}

const float* ForwardPass::run_layers(std::size_t begin, std::size_t end, const float* input) {
    Cursor cursor = cursor_at(begin, input);
    for (std::size_t layer = begin; layer < end; ++layer) {
        run_layer(layer, nullptr, cursor, [&] { cursor.advance(); });
    }
    return as_floats(cursor.input);
}

void ForwardPass::replace_convolution(const Plan& plan, std::size_t index,
                                      const layers::ConvolutionWeights& weights) {
    const PlannedConvolution& planned = plan.convolutions[index];
    blocks_[index].convolution =
        layers::make_convolution(planned.algorithm(), planned.shape, weights, plan.execution);
}

void ForwardPass::add_step(PlanStep step, std::size_t output_bytes) {
    // run() lets the steps write to the two buffers in turn.
    std::size_t& largest = largest_activation_[steps_.size() % largest_activation_.size()];
    largest = std::max(largest, output_bytes);
    steps_.push_back(std::move(step));
}

void ForwardPass::add_convolution(const model::ModelFile& file, const Plan& plan, std::size_t index) {
    const std::vector<model::ConvolutionLayer>& all = file.network().convolutions();
    const model::ConvolutionLayer& layer = all[index];
    const PlannedConvolution& planned = plan.convolutions[index];
    const std::size_t side = planned.shape.side;
    layers::ConvolutionWeights weights = convolution_weights(file, layer);
    if (index + 1 < all.size()) weights.output_scale = input_scale(file, all[index + 1]);

    first_steps_.push_back(steps_.size());
    ConvolutionBlock& block = blocks_.emplace_back();
    block.convolution = layers::make_convolution(planned.algorithm(), planned.shape, weights, plan.execution);
    // Packed: the file's copy is not read again.
    file.file().mapping().release(file.tensor(model::weight_name(layer.name)).bytes);

    const bool pools = block.convolution->pools();
    const bool quantizes = block.convolution->quantizes();
    const Map output = {layer.output_channels, pools ? side / 2 : side, quantizes};
    add_step({.layer = layer.name + (pools ? " and pool" : ""),
              .kernel = block.convolution->kernel(),
              .macs = planned.shape.direct_operations() / 2,
              .operations = block.convolution->operations(),
              .weight_bytes = block.convolution->weight_bytes(),
              .activation_bytes = input_bytes(planned.shape, plan.execution) + output.bytes(plan.execution)},
             output.bytes(plan.execution));
    if (layer.pool_follows && !pools) add_max_pool(layer, side, plan.execution);
    if (weights.output_scale != 0 && !quantizes) {
        add_quantization(layer, layer.pool_follows ? side / 2 : side, weights.output_scale, plan.execution);
    }
}

void ForwardPass::add_max_pool(const model::ConvolutionLayer& layer, std::size_t side,
                               const layers::Execution& execution) {
    const Map input = {layer.output_channels, side, false};
    const Map output = {layer.output_channels, side / 2, false};
    const layers::MaxPool& pool = blocks_.back().pool.emplace(layer.output_channels, side, execution);
    add_step({.layer = "pool after " + layer.name,
              .kernel = pool.kernel(),
              .activation_bytes = input.bytes(execution) + output.bytes(execution)},
             output.bytes(execution));
}

void ForwardPass::add_quantization(const model::ConvolutionLayer& layer, std::size_t side, float scale,
                                   const layers::Execution& execution) {
    const Map input = {layer.output_channels, side, false};
    const Map output = {layer.output_channels, side, true};
    const layers::Quantization& quantization =
        blocks_.back().quantization.emplace(layer.output_channels, side, scale, execution);
    add_step({.layer = "quantisation after " + layer.name,
              .kernel = quantization.kernel(),
              .activation_bytes = input.bytes(execution) + output.bytes(execution)},
             output.bytes(execution));
}

void ForwardPass::add_average_pool(const model::ModelFile& file, const Plan& plan) {
    const model::Network& network = file.network();
    const model::ConvolutionLayer& last = network.convolutions().back();
    const model::DenseLayer& first_dense = network.dense_layers().front();
    const std::size_t side = network.map_size(last, plan.input_size) / 2;
    const bool fold = side < network.pooled_side() && !file.is_int4(first_dense.name) &&
                      file.order(first_dense) == model::DenseOrder::input_major;
    if (fold) fold_average_pool(file, plan, side);

    const layers::Execution& execution = plan.execution;
    dense_input_side_ = fold ? side : network.pooled_side();
    average_pool_.emplace(last.output_channels, side, dense_input_side_, execution);
    const std::size_t output_floats =
        execution.batch * last.output_channels * dense_input_side_ * dense_input_side_;
    const std::size_t input_floats =
        kernels::blocked_size(execution.batch, last.output_channels, side, side, execution.channel_block());
    add_step({.layer = fold ? "flatten" : "average pool",
              .kernel = average_pool_->kernel(),
              .activation_bytes = (input_floats + output_floats) * sizeof(float)},
             output_floats * sizeof(float));
}

void ForwardPass::fold_average_pool(const model::ModelFile& file, const Plan& plan, std::size_t side) {
    const model::DenseLayer& layer = file.network().dense_layers().front();
    const model::Tensor& weights = file.weight(layer);
    const layers::PoolFold fold = {.channels = file.network().convolutions().back().output_channels,
                                   .side = side,
                                   .pooled_side = file.network().pooled_side(),
                                   .outputs = layer.outputs};
    const bool int8 = file.is_int8(layer.name);
    folded_inputs_ = fold.channels * side * side;
    folded_weights_ =
        kernels::AlignedBuffer(fold.folded_size() * (int8 ? sizeof(std::int8_t) : sizeof(float)));
    if (int8) {
        folded_scales_.resize(layer.outputs);
        layers::fold_average_pool(
            fold, plan.execution.threads,
            {.weights = weights.as<std::int8_t>().data(),
             .scale = file.tensor(model::weight_scale_name(layer.name)).as<float>().data(),
             .release =
                 [&](std::span<const std::int8_t> part) {
                     file.file().mapping().release(std::as_bytes(part));
                 }},
            {.weights = folded_weights_.as<std::int8_t>(), .scale = folded_scales_.data()});
        return;
    }
    const std::size_t channel_bytes = weights.bytes.size() / fold.channels;
    kernels::parallel_for(plan.execution.threads, fold.channels, [&](std::size_t channel) {
        layers::fold_channel(fold, weights.as<float>().data() + channel * fold.pooled_channel_size(),
                             folded_weights_.as<float>() + channel * fold.channel_size());
        file.file().mapping().release(weights.bytes.subspan(channel * channel_bytes, channel_bytes));
    });
}

void ForwardPass::add_dense(const model::ModelFile& file, const model::DenseLayer& layer, const Plan& plan) {
    const std::size_t batch = plan.execution.batch;
    layers::DenseProblem problem = dense_problem(file, layer);
    if (dense_layers_.empty() && folded_weights_.size() > 0) {
        problem.inputs = folded_inputs_;
        if (problem.weights != nullptr) {
            problem.weights = folded_weights_.as<float>();
        } else {
            problem.int8_weights = folded_weights_.as<std::int8_t>();
            problem.weight_scale = folded_scales_.data();
        }
    }
    first_steps_.push_back(steps_.size());
    dense_layers_.push_back(std::make_unique<layers::Dense>(problem, plan.execution));
    add_step({.layer = layer.name,
              .kernel = dense_layers_.back()->kernel(),
              .macs = model::Network::macs(layer),
              .operations = 2 * batch * problem.inputs * layer.outputs,
              .weight_bytes = dense_layers_.back()->weight_bytes(),
              .activation_bytes = batch * (problem.inputs + layer.outputs) * sizeof(float)},
             batch * layer.outputs * sizeof(float));
}

}  // namespace vgg19
