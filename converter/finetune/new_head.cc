#include "converter/finetune/new_head.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "converter/finetune/random_key.h"

namespace vgg19::converter {

namespace {

constexpr double deviation = 0.01;

/// In (0, 1].
double uniform(std::uint64_t key) {
    constexpr unsigned mantissa_bits = 53;
    return static_cast<double>((key >> (64 - mantissa_bits)) + 1) /
           static_cast<double>(std::uint64_t{1} << mantissa_bits);
}

/// Normally distributed numbers by Box and Muller (1958); each depends only on its index.
std::vector<float> normal_values(std::size_t count, std::uint64_t seed) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t key = random_key(seed, RandomUse::head, 0, i);
        const double radius = std::sqrt(-2 * std::log(uniform(mix_bits(key + 1))));
        const double angle = 2 * std::numbers::pi * uniform(mix_bits(key + 2));
        values[i] = static_cast<float>(deviation * radius * std::cos(angle));
    }
    return values;
}

model::Description described(const model::ModelFile& model, const NewHead& head) {
    model::Description description = model.description();
    description.network = model.network().with_classes(head.classes);
    description.class_names = head.names;
    return description;
}

/// The new layer's weight and bias, in `values`.
std::vector<Parameter> head_parameters(const model::ModelFile& model, const model::DenseLayer& layer,
                                       std::uint64_t seed, std::vector<std::vector<float>>& values) {
    const model::DenseOrder order = model.order(model.network().dense_layers().back());
    const model::TensorShape weight = model::dense_weight(layer, order);
    values.push_back(normal_values(layer.inputs * layer.outputs, seed));
    values.emplace_back(layer.outputs);
    return {{weight.name, weight.shape, values[0], {}, true},
            {model::bias_name(layer.name), {layer.outputs}, values[1], {}, false}};
}

model::ModelFile with_head(const model::ModelFile& model, model::Description description,
                           std::span<const Parameter> parameters) {
    std::vector<model::Tensor> tensors;
    for (const Parameter& parameter : parameters) {
        tensors.push_back({parameter.name, model::DType::f32, parameter.shape,
                           std::as_bytes(std::span<const float>(parameter.values))});
    }
    return model.with(std::move(description), tensors);
}

}  // namespace

NewHeadModel::NewHeadModel(const model::ModelFile& model, const NewHead& head, std::uint64_t seed)
    : parameters_(head_parameters(model, model.network().with_classes(head.classes).dense_layers().back(),
                                  seed, values_)),
      file_(with_head(model, described(model, head), parameters_)) {}

void NewHeadModel::take(std::span<const Parameter> trained) {
    for (const Parameter& parameter : parameters_) {
        const auto found = std::find_if(trained.begin(), trained.end(),
                                        [&](const Parameter& other) { return other.name == parameter.name; });
        std::copy(found->values.begin(), found->values.end(), parameter.values.begin());
    }
}

}  // namespace vgg19::converter
