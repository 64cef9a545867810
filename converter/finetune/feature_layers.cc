#include "converter/finetune/feature_layers.h"

#include <algorithm>
#include <utility>

#include "kernels/average_pool/average_pool.h"
#include "kernels/common/parallel.h"
#include "kernels/max_pool/max_pool.h"
#include "kernels/pool_gradient/pool_gradient.h"
#include "kernels/training/activation_gradients/activation_gradients.h"

namespace vgg19::converter {

namespace {

constexpr std::size_t line = 16;  // floats

std::size_t in_lines(std::size_t floats) {
    return (floats + line - 1) / line * line;
}

}  // namespace

FeatureLayers::FeatureLayers(const model::Network& network, MapSize input_size,
                             const layers::Execution& execution, bool learns)
    : execution_(execution),
      learns_(learns),
      pooled_side_(network.pooled_side()),
      features_(network.dense_layers().front().inputs) {
    for (const model::ConvolutionLayer& layer : network.convolutions()) {
        const layers::ConvolutionShape shape{.input_channels = layer.input_channels,
                                             .output_channels = layer.output_channels,
                                             .size = network.map_size(layer, input_size),
                                             .plain_input = blocks_.empty()};
        blocks_.push_back({ConvolutionLayer(shape, execution), layer.pool_follows});
    }
}

// ---- memory ----

std::size_t FeatureLayers::activation_size(const Block& block, std::size_t count) const {
    return block.convolution.output_size(count);
}

std::size_t FeatureLayers::pooled_size(const Block& block, std::size_t count) const {
    const MapSize size = block.size().halved();
    return kernels::blocked_size(count, block.convolution.shape().output_channels, size.height, size.width,
                                 execution_.channel_block());
}

std::size_t FeatureLayers::largest_activation() const {
    std::size_t largest = 0;
    for (const Block& block : blocks_) {
        largest = std::max(largest, activation_size(block, execution_.batch));
    }
    return in_lines(largest);
}

std::size_t FeatureLayers::place_activations(float* memory) {
    const std::size_t largest = largest_activation();
    std::size_t offset = 0;
    const auto place = [&](std::size_t size) {
        float* const start = memory == nullptr ? nullptr : memory + offset;
        offset = learns_ ? offset + in_lines(size) : largest - offset;
        return start;
    };
    for (Block& block : blocks_) {
        block.activation = place(activation_size(block, execution_.batch));
        if (block.pool_follows) block.pooled = place(pooled_size(block, execution_.batch));
    }
    return learns_ ? offset : 2 * largest;
}

std::size_t FeatureLayers::workspace() {
    std::size_t largest = 0;
    for (Block& block : blocks_) {
        largest = std::max(largest, block.convolution.forward_workspace());
        if (!learns_) continue;
        largest = std::max(largest, block.convolution.backward_weights_workspace());
        if (&block == &blocks_.front()) continue;
        largest = std::max(largest, block.convolution.backward_data_workspace());
    }
    return largest;
}

std::size_t FeatureLayers::bytes() {
    const std::size_t gradients = learns_ ? 2 * largest_activation() : 0;
    return (place_activations(nullptr) + gradients + execution_.batch * features_ + workspace()) *
           sizeof(float);
}

void FeatureLayers::allocate() {
    activations_ = kernels::AlignedBuffer(place_activations(nullptr) * sizeof(float));
    place_activations(activations_.as<float>());
    features_memory_ = kernels::AlignedBuffer(execution_.batch * features_ * sizeof(float));
    if (learns_) {
        for (auto& gradient : gradients_) {
            gradient = kernels::AlignedBuffer(largest_activation() * sizeof(float));
        }
    }
    workspace_.floats(workspace());
}

// ---- forward ----

const float* FeatureLayers::forward(std::size_t count, const float* images,
                                    const std::vector<LayerParameters>& parameters) {
    const float* input = images;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
        Block& block = blocks_[i];
        block.convolution.forward(count, input, parameters[i], block.activation, workspace_);
        if (block.pool_follows) max_pool(count, block);
        input = block.output();
    }
    average_pool(count);
    return features_memory_.as<float>();
}

void FeatureLayers::max_pool(std::size_t count, const Block& block) const {
    const auto& kernel = kernels::select(kernels::max_pool_kernels(), execution_.isa);
    const std::size_t channel_block = execution_.channel_block();
    const std::size_t channels = block.convolution.shape().output_channels;
    const kernels::Pool2x2 problem{.planes = count * kernels::blocks_of(channels, channel_block),
                                   .height = block.size().height,
                                   .width = block.size().width,
                                   .block = channel_block,
                                   .input = block.activation,
                                   .output = block.pooled};
    const std::size_t rows = problem.height / 2;
    kernels::parallel_for(execution_.threads, problem.planes,
                          [&](std::size_t plane) { kernel.run(problem, plane * rows, (plane + 1) * rows); });
}

void FeatureLayers::average_pool(std::size_t count) {
    const auto& kernel = kernels::select(kernels::average_pool_kernels(), execution_.isa);
    const Block& last = blocks_.back();
    const kernels::AveragePool problem{.batch = count,
                                       .channels = last.convolution.shape().output_channels,
                                       .height = last.size().halved().height,
                                       .width = last.size().halved().width,
                                       .output_height = pooled_side_,
                                       .output_width = pooled_side_,
                                       .block = execution_.channel_block(),
                                       .input = last.output(),
                                       .output = features_memory_.as<float>()};
    const std::size_t blocks = count * kernels::blocks_of(problem.channels, problem.block);
    kernels::parallel_for(execution_.threads, blocks,
                          [&](std::size_t index) { kernel.run(problem, index, index + 1); });
}

// ---- backward ----

void FeatureLayers::backward(std::size_t count, const float* images, const float* features_gradient,
                             const std::vector<LayerParameters>& parameters,
                             std::span<const std::vector<float>> pool_gradients) {
    auto* gradient = gradients_[0].as<float>();
    auto* other = gradients_[1].as<float>();
    average_pool_backward(count, features_gradient, gradient);
    for (std::size_t i = blocks_.size(); i-- > 0;) {
        Block& block = blocks_[i];
        if (block.pool_follows) {
            if (!pool_gradients.empty()) {
                add_to_pool(count, block, pool_gradients.back(), gradient);
                pool_gradients = pool_gradients.first(pool_gradients.size() - 1);
            }
            max_pool_backward(count, block, gradient, other);
            std::swap(gradient, other);
        } else {
            relu_backward(count, block, gradient);
        }
        const float* input = i == 0 ? images : blocks_[i - 1].output();
        block.convolution.backward_weights(count, input, gradient, parameters[i], workspace_);
        if (i == 0) break;
        block.convolution.backward_data(count, gradient, parameters[i], other, workspace_);
        std::swap(gradient, other);
    }
}

std::vector<FeatureLayers::Pool> FeatureLayers::pools() const {
    std::vector<Pool> result;
    for (const Block& block : blocks_) {
        if (block.pool_follows) {
            result.push_back({block.convolution.shape().output_channels, block.size().halved()});
        }
    }
    return result;
}

void FeatureLayers::copy_pool(std::size_t pool, std::size_t count, std::span<float> values) const {
    std::size_t before = 0;
    const auto block = std::find_if(blocks_.begin(), blocks_.end(),
                                    [&](const Block& each) { return each.pool_follows && before++ == pool; });
    const MapSize size = block->size().halved();
    const std::size_t channels = block->convolution.shape().output_channels;
    const std::size_t lanes = execution_.channel_block();
    kernels::parallel_for(execution_.threads, count, [&](std::size_t image) {
        for (std::size_t channel = 0; channel < channels; ++channel) {
            const float* source = block->pooled + kernels::blocked_index(channels, size.height, size.width,
                                                                         lanes, image, channel, 0, 0);
            float* const target = values.data() + (image * channels + channel) * size.pixels();
            for (std::size_t pixel = 0; pixel < size.pixels(); ++pixel) target[pixel] = source[pixel * lanes];
        }
    });
}

void FeatureLayers::add_to_pool(std::size_t count, const Block& block, std::span<const float> values,
                                float* gradient) const {
    const MapSize size = block.size().halved();
    const std::size_t channels = block.convolution.shape().output_channels;
    const std::size_t lanes = execution_.channel_block();
    kernels::parallel_for(execution_.threads, count, [&](std::size_t image) {
        for (std::size_t channel = 0; channel < channels; ++channel) {
            const float* const source = values.data() + (image * channels + channel) * size.pixels();
            float* target = gradient + kernels::blocked_index(channels, size.height, size.width, lanes, image,
                                                              channel, 0, 0);
            for (std::size_t pixel = 0; pixel < size.pixels(); ++pixel) {
                target[pixel * lanes] += source[pixel];
            }
        }
    });
}

void FeatureLayers::max_pool_backward(std::size_t count, const Block& block, const float* pooled_gradient,
                                      float* gradient) const {
    const std::size_t channel_block = execution_.channel_block();
    const std::size_t channels = block.convolution.shape().output_channels;
    const kernels::MaxPoolGradient problem{.planes = count * kernels::blocks_of(channels, channel_block),
                                           .height = block.size().height,
                                           .width = block.size().width,
                                           .block = channel_block,
                                           .activation = block.activation,
                                           .pooled_gradient = pooled_gradient,
                                           .gradient = gradient};
    kernels::parallel_for(execution_.threads, problem.planes, [&](std::size_t plane) {
        kernels::max_pool_relu_gradient(problem, plane, plane + 1);
    });
}

void FeatureLayers::relu_backward(std::size_t count, const Block& block, float* gradient) const {
    const std::size_t size = activation_size(block, count);
    const auto parts = static_cast<std::size_t>(execution_.threads);
    kernels::parallel_for(execution_.threads, parts, [&](std::size_t part) {
        const kernels::Range range = kernels::part_of(size, parts, part, line);
        kernels::relu_gradient(block.activation + range.begin, gradient + range.begin,
                               range.end - range.begin);
    });
}

void FeatureLayers::average_pool_backward(std::size_t count, const float* features_gradient,
                                          float* gradient) const {
    const Block& last = blocks_.back();
    const auto& kernel = kernels::select(kernels::pool_gradient_kernels(), execution_.isa);
    const kernels::AdaptivePoolGradient problem{.batch = count,
                                                .channels = last.convolution.shape().output_channels,
                                                .height = last.size().halved().height,
                                                .width = last.size().halved().width,
                                                .pooled_height = pooled_side_,
                                                .pooled_width = pooled_side_,
                                                .block = execution_.channel_block(),
                                                .pooled = features_gradient,
                                                .gradient = gradient};
    const std::size_t blocks = count * kernels::blocks_of(problem.channels, problem.block);
    kernels::parallel_for(execution_.threads, blocks, [&](std::size_t index) {
        kernel.run->of_adaptive_pool(problem, index, index + 1);
    });
}

}  // namespace vgg19::converter
