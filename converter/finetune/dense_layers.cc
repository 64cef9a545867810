#include "converter/finetune/dense_layers.h"

#include <algorithm>
#include <utility>

#include "converter/finetune/dropout.h"
#include "kernels/common/parallel.h"
#include "kernels/onednn/training/matrix_product.h"

namespace vgg19::converter {

DenseLayers::DenseLayers(const model::Network& network, const std::vector<model::DenseOrder>& orders,
                         std::size_t batch, int threads, double dropout)
    : batch_(batch), threads_(threads), dropout_(dropout) {
    const auto& shapes = network.dense_layers();
    for (std::size_t i = 0; i < shapes.size(); ++i) layers_.push_back({shapes[i], orders[i], {}});
}

std::size_t DenseLayers::widest() const {
    std::size_t widest = 0;
    for (const Layer& layer : layers_) widest = std::max({widest, layer.shape.inputs, layer.shape.outputs});
    return widest;
}

std::size_t DenseLayers::bytes() const {
    std::size_t floats = 2 * widest();
    for (const Layer& layer : layers_) floats += layer.shape.outputs;
    return batch_ * floats * sizeof(float);
}

void DenseLayers::allocate() {
    for (Layer& layer : layers_) {
        layer.output = kernels::AlignedBuffer(batch_ * layer.shape.outputs * sizeof(float));
    }
    for (auto& gradient : gradients_) gradient = kernels::AlignedBuffer(batch_ * widest() * sizeof(float));
}

std::span<float> DenseLayers::forward(std::size_t count, const float* input,
                                      const std::vector<LayerParameters>& parameters,
                                      std::span<const std::uint64_t> dropout_keys) {
    kept_scale_ = dropout_keys.empty() ? 1.0F : static_cast<float>(1.0 / (1.0 - dropout_));
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        Layer& layer = layers_[i];
        kernels::matrix_product({.rows = count,
                                 .columns = layer.shape.outputs,
                                 .terms = layer.shape.inputs,
                                 .left = {.values = input},
                                 .right = {.values = parameters[i].weights.data(),
                                           .transposed = layer.order == model::DenseOrder::output_major},
                                 .result = layer.output.as<float>()},
                                threads_);
        finish_outputs(count, i, parameters[i].bias, dropout_keys);
        input = layer.output.as<float>();
    }
    return {layers_.back().output.as<float>(), count * layers_.back().shape.outputs};
}

/// Adds the bias and applies ReLU and dropout.
void DenseLayers::finish_outputs(std::size_t count, std::size_t index, std::span<const float> bias,
                                 std::span<const std::uint64_t> dropout_keys) {
    Layer& layer = layers_[index];
    kernels::parallel_for(threads_, count, [&](std::size_t image) {
        const std::span<float> outputs(layer.output.as<float>() + image * bias.size(), bias.size());
        for (std::size_t o = 0; o < bias.size(); ++o) {
            const float value = outputs[o] + bias[o];
            // NaN must stay NaN.
            outputs[o] = layer.shape.relu_follows && value < 0 ? 0.0F : value;
        }
        if (layer.shape.relu_follows && !dropout_keys.empty()) {
            drop_out(dropout_keys[image], static_cast<std::uint32_t>(index), dropout_, outputs);
        }
    });
}

const float* DenseLayers::backward(std::size_t count, const float* input,
                                   std::span<const float> logits_gradient,
                                   const std::vector<LayerParameters>& parameters,
                                   bool input_gradient_wanted) {
    const float* gradient = logits_gradient.data();
    for (std::size_t i = layers_.size(); i-- > 0;) {
        const Layer& layer = layers_[i];
        const float* layer_input = i == 0 ? input : layers_[i - 1].output.as<float>();
        if (!parameters[i].frozen()) add_gradients(count, layer, layer_input, gradient, parameters[i]);
        const bool learns_before =
            std::any_of(parameters.begin(), parameters.begin() + static_cast<std::ptrdiff_t>(i),
                        [](const LayerParameters& layer_before) { return !layer_before.frozen(); });
        if (!learns_before && !input_gradient_wanted) return nullptr;
        auto* const input_gradient = gradients_[i % 2].as<float>();
        kernels::matrix_product({.rows = count,
                                 .columns = layer.shape.inputs,
                                 .terms = layer.shape.outputs,
                                 .left = {.values = gradient},
                                 .right = {.values = parameters[i].weights.data(),
                                           .transposed = layer.order == model::DenseOrder::input_major},
                                 .result = input_gradient},
                                threads_);
        if (i > 0 && layers_[i - 1].shape.relu_follows) {
            // Outputs that ReLU or dropout set to zero have no gradient.
            for (std::size_t k = 0; k < count * layer.shape.inputs; ++k) {
                input_gradient[k] = layer_input[k] > 0 ? input_gradient[k] * kept_scale_ : 0.0F;
            }
        }
        gradient = input_gradient;
    }
    return gradient;
}

void DenseLayers::add_gradients(std::size_t count, const Layer& layer, const float* input,
                                const float* gradient, const LayerParameters& parameters) const {
    const std::size_t inputs = layer.shape.inputs;
    const std::size_t outputs = layer.shape.outputs;
    const bool input_major = layer.order == model::DenseOrder::input_major;
    kernels::matrix_product({.rows = input_major ? inputs : outputs,
                             .columns = input_major ? outputs : inputs,
                             .terms = count,
                             .left = {.values = input_major ? input : gradient, .transposed = true},
                             .right = {.values = input_major ? gradient : input},
                             .result = parameters.weights_gradient.data(),
                             .add = true},
                            threads_);
    for (std::size_t image = 0; image < count; ++image) {
        for (std::size_t o = 0; o < outputs; ++o) {
            parameters.bias_gradient[o] += gradient[image * outputs + o];
        }
    }
}

}  // namespace vgg19::converter
