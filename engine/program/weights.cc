#include "engine/program/weights.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/layers/folded_pool.h"
#include "engine/model/packed_file.h"
#include "kernels/common/blocked_layout.h"
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

WeightsUse use_weights(const model::ModelFile& file, const model::Tensor& tensor, int threads) {
    // At multiples of the size of large pages, so that the parts can have such. What is unpacked takes
    // longer, and is shared out frame by frame.
    const bool unpacked = file.file().mapping().is_unpacked();
    const std::size_t piece = unpacked ? model::Packer::frame_bytes : std::size_t{4} << 20U;
    const std::size_t before = reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % piece;
    const std::size_t end = before + tensor.bytes.size();
    WeightsUse uses(kernels::blocks_of(end, piece));
    kernels::parallel_for(threads, uses.size(), [&](std::size_t index) {
        const std::size_t first = std::max(index * piece, before);
        const std::size_t last = std::min((index + 1) * piece, end);
        uses[index] = file.file().mapping().use(tensor.bytes.subspan(first - before, last - first));
    });
    return uses;
}

namespace {

/// A dense layer with all but its weights.
layers::DenseProblem without_weights(const model::ModelFile& file, const model::DenseLayer& layer) {
    return {.inputs = layer.inputs,
            .outputs = layer.outputs,
            .relu_follows = layer.relu_follows,
            .signed_input = layer.signed_input,
            .input_major = file.order(layer) == model::DenseOrder::input_major,
            .bias = file.tensor(model::bias_name(layer.name)).as<float>().data()};
}

}  // namespace

layers::DenseProblem dense_problem(const model::ModelFile& file, const model::DenseLayer& layer,
                                   int threads) {
    const model::Tensor& weights = file.weight(layer);
    layers::DenseProblem problem = without_weights(file, layer);
    auto uses = std::make_shared<std::vector<WeightsUse>>();
    uses->push_back(use_weights(file, weights, threads));
    if (file.is_int4(layer.name)) {
        const model::Tensor& scale = file.tensor(model::int4_dense_scale(layer).name);
        uses->push_back(use_weights(file, scale, threads));
        file.check_int4_scales(layer);
        problem.int4_weights = weights.as<std::uint8_t>().data();
        problem.int4_scale = scale.as<std::uint16_t>().data();
    } else if (file.is_int8(layer.name)) {
        problem.int8_weights = weights.as<std::int8_t>().data();
        problem.weight_scale = file.tensor(model::weight_scale_name(layer.name)).as<float>().data();
    } else {
        problem.weights = weights.as<float>().data();
    }
    problem.weights_owner = std::move(uses);
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
    // A frame has several channels, and would be unpacked for each of them.
    WeightsUse all;
    if (file.file().mapping().is_unpacked()) all = use_weights(file, weights, threads);
    const std::size_t channel_bytes = weights.bytes.size() / fold.channels;
    const auto use_channel = [&](std::size_t channel) {
        return file.file().mapping().use(weights.bytes.subspan(channel * channel_bytes, channel_bytes));
    };
    if (int8) {
        scales_.resize(layer.outputs);
        layers::fold_average_pool(
            fold, threads,
            {.weights = weights.as<std::int8_t>().data(),
             .scale = file.tensor(model::weight_scale_name(layer.name)).as<float>().data(),
             .use_channel =
                 [&](std::size_t channel) {
                     return std::make_shared<const model::MappedFile::Use>(use_channel(channel));
                 }},
            {.weights = weights_.as<std::int8_t>(), .scale = scales_.data()});
        return;
    }
    kernels::parallel_for(threads, fold.channels, [&](std::size_t channel) {
        const auto use = use_channel(channel);
        layers::fold_channel(fold, weights.as<float>().data() + channel * fold.pooled_channel_size(),
                             weights_.as<float>() + channel * fold.channel_size());
    });
}

layers::DenseProblem FoldedDenseWeights::dense_problem(const model::ModelFile& file) const {
    const model::DenseLayer& layer = file.network().dense_layers().front();
    layers::DenseProblem problem = without_weights(file, layer);
    problem.inputs = inputs_;
    if (file.is_int8(layer.name)) {
        problem.int8_weights = weights_.as<std::int8_t>();
        problem.weight_scale = scales_.data();
    } else {
        problem.weights = weights_.as<float>();
    }
    return problem;
}

}  // namespace vgg19
