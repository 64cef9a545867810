#include "converter/quantize/equalize.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace vgg19::converter {

namespace {

constexpr std::size_t taps = 9;

/// A layer's factors r.
std::vector<float> channel_ranges(const std::vector<float>& largest) {
    constexpr double most = 8;
    double logarithms = 0;
    std::size_t alive = 0;
    for (const float value : largest) {
        if (value == 0) continue;
        logarithms += std::log(static_cast<double>(value));
        ++alive;
    }
    const double mean = alive > 0 ? std::exp(logarithms / static_cast<double>(alive)) : 1;
    std::vector<float> ranges(largest.size(), 1.0F);
    for (std::size_t c = 0; c < ranges.size(); ++c) {
        if (largest[c] == 0) continue;
        const double range = std::sqrt(static_cast<double>(largest[c]) / mean);
        ranges[c] = static_cast<float>(std::clamp(range, 1 / most, most));
    }
    return ranges;
}

/// One convolution's weights and biases, multiplied by its input's factors and divided by its output's.
void append_scaled(const model::ModelFile& model, const model::ConvolutionLayer& layer,
                   std::span<const float> inputs, std::span<const float> outputs,
                   std::vector<std::vector<float>>& values, std::vector<model::Tensor>& tensors) {
    const model::Tensor& weight = model.tensor(model::weight_name(layer.name));
    const model::Tensor& bias = model.tensor(model::bias_name(layer.name));
    const auto append = [&](const model::Tensor& original) -> std::vector<float>& {
        const auto old = original.as<float>();
        std::vector<float>& copy = values.emplace_back(old.begin(), old.end());
        model::Tensor tensor = original;
        tensor.bytes = std::as_bytes(std::span(copy));
        tensors.push_back(std::move(tensor));
        return copy;
    };
    std::vector<float>& weights = append(weight);
    const std::size_t row = layer.input_channels * taps;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        weights[i] *= inputs[i % row / taps] / outputs[i / row];
    }
    std::vector<float>& biases = append(bias);
    for (std::size_t i = 0; i < biases.size(); ++i) biases[i] /= outputs[i];
    const std::span<const float> before = model.output_factors(layer.name);
    std::vector<float>& factors = values.emplace_back(outputs.begin(), outputs.end());
    for (std::size_t i = 0; i < before.size(); ++i) factors[i] *= before[i];
    tensors.push_back({model::output_factor_name(layer.name),
                       model::DType::f32,
                       {factors.size()},
                       std::as_bytes(std::span(factors))});
}

model::ModelFile equalized(const model::ModelFile& model, const std::vector<std::vector<float>>& largest,
                           std::vector<std::vector<float>>& values) {
    const auto& convolutions = model.network().convolutions();
    std::vector<model::Tensor> tensors;
    std::vector<float> inputs(convolutions.front().input_channels, 1.0F);
    for (std::size_t i = 0; i < convolutions.size(); ++i) {
        const bool is_last = i + 1 == convolutions.size();
        std::vector<float> outputs =
            is_last ? std::vector<float>(convolutions[i].output_channels, 1.0F) : channel_ranges(largest[i]);
        append_scaled(model, convolutions[i], inputs, outputs, values, tensors);
        inputs = std::move(outputs);
    }
    return model.with(tensors);
}

}  // namespace

EqualizedModel::EqualizedModel(const model::ModelFile& model, const std::vector<std::vector<float>>& largest)
    : file_(equalized(model, largest, values_)) {}

}  // namespace vgg19::converter
