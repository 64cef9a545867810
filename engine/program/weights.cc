#include "engine/program/weights.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <string>

#include "engine/layers/folded_pool.h"
#include "kernels/common/parallel.h"

namespace vgg19 {

float input_scale(const model::ModelFile& file, const model::ConvolutionLayer& layer) {
    const model::Tensor* scale = file.find(model::input_scale_name(layer.name));
    // A smaller number would be read as zero, and all inputs that it can scale are nothing beside a bias.
    constexpr float smallest = std::numeric_limits<float>::min();
    return scale == nullptr ? 0 : std::max(scale->as<float>().front(), smallest);
}

layers::ConvolutionWeights convolution_weights(const model::ModelFile& file,
                                               const model::ConvolutionLayer& layer,
                                               const model::ConvolutionLayer* next) {
    const model::Tensor& weights = file.tensor(model::weight_name(layer.name));
    layers::ConvolutionWeights result;
    result.bias = file.tensor(model::bias_name(layer.name)).as<float>().data();
    if (next != nullptr) result.output_scale = input_scale(file, *next);
    if (!file.is_int8(layer.name)) {
        result.weights = weights.as<float>().data();
        return result;
    }
    result.int8_weights = weights.as<std::int8_t>().data();
    result.weight_scale = file.tensor(model::weight_scale_name(layer.name)).as<float>().data();
    result.input_scale = input_scale(file, layer);
    const auto scales = [&](const std::string& name) {
        const model::Tensor* tensor = file.find(name);
        return tensor == nullptr ? nullptr : tensor->as<float>().data();
    };
    result.winograd_input_scale = scales(model::winograd_input_scale_name(layer.name));
    result.winograd_f4x4_input_scale = scales(model::winograd_f4x4_input_scale_name(layer.name));
    return result;
}

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

FoldedDenseWeights::FoldedDenseWeights(const model::ModelFile& file, MapSize size, int threads) {
    const model::DenseLayer& layer = file.network().dense_layers().front();
    const model::Tensor& weights = file.weight(layer);
    const layers::PoolFold fold = {.channels = file.network().convolutions().back().output_channels,
                                   .size = size,
                                   .pooled_side = file.network().pooled_side(),
                                   .outputs = layer.outputs};
    const bool int8 = file.is_int8(layer.name);
    inputs_ = fold.channels * size.pixels();
    weights_ = kernels::AlignedBuffer(fold.folded_size() * (int8 ? sizeof(std::int8_t) : sizeof(float)));
    const auto release = [&](std::span<const std::byte> part) { file.file().mapping().release(part); };
    if (int8) {
        scales_.resize(layer.outputs);
        layers::fold_average_pool(
            fold, threads,
            {.weights = weights.as<std::int8_t>().data(),
             .scale = file.tensor(model::weight_scale_name(layer.name)).as<float>().data(),
             .release = [&](std::span<const std::int8_t> part) { release(std::as_bytes(part)); }},
            {.weights = weights_.as<std::int8_t>(), .scale = scales_.data()});
        return;
    }
    const std::size_t channel_bytes = weights.bytes.size() / fold.channels;
    kernels::parallel_for(threads, fold.channels, [&](std::size_t channel) {
        layers::fold_channel(fold, weights.as<float>().data() + channel * fold.pooled_channel_size(),
                             weights_.as<float>() + channel * fold.channel_size());
        release(weights.bytes.subspan(channel * channel_bytes, channel_bytes));
    });
}

void FoldedDenseWeights::apply(layers::DenseProblem& problem) const {
    problem.inputs = inputs_;
    if (problem.weights != nullptr) {
        problem.weights = weights_.as<float>();
    } else {
        problem.int8_weights = weights_.as<std::int8_t>();
        problem.weight_scale = scales_.data();
    }
}

}  // namespace vgg19
