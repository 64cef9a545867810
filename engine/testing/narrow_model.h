// For tests: a VGG-19 with few channels and random weights, as a model file.
#pragma once

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/model_file.h"
#include "engine/testing/temporary_folder.h"
#include "kernels/common/testing/random.h"

namespace vgg19::testing {

/// Widths that are not multiples of a channel block, and a number of classes that is not ImageNet's.
inline model::Network narrow_network(std::size_t classes = 10) {
    return {{4, 4, 0, 6, 6, 0, 8, 8, 8, 8, 0, 17, 17, 17, 17, 0, 12, 12, 12, 12, 0}, {24, 20, classes}};
}

/// The F32 tensors of `network`, scaled so that activations do not vanish, and their memory.
struct RandomTensors {
    std::vector<std::vector<float>> values;
    std::vector<model::Tensor> tensors;
};

inline RandomTensors random_tensors(const model::Network& network, kernels::testing::Random& random) {
    RandomTensors result;
    for (const model::TensorShape& shape : network.tensors()) {
        std::size_t elements = 1;
        std::size_t inputs = 1;  // of one output
        for (std::size_t axis = 0; axis < shape.shape.size(); ++axis) {
            elements *= shape.shape[axis];
            if (axis > 0) inputs *= shape.shape[axis];
        }
        const bool is_bias = shape.shape.size() == 1;
        const float limit = is_bias ? 0.1F : std::sqrt(6.0F / static_cast<float>(inputs));
        std::vector<float>& values = result.values.emplace_back(elements);
        random.fill(values, -limit, limit);
        result.tensors.push_back(
            {shape.name, model::DType::f32, shape.shape, std::as_bytes(std::span(values))});
    }
    return result;
}

/// Makes the output-major dense weights input-major.
inline void make_input_major(const model::Network& network, RandomTensors& random) {
    for (const model::DenseLayer& layer : network.dense_layers()) {
        const std::string name = model::weight_name(layer.name);
        for (std::size_t i = 0; i < random.tensors.size(); ++i) {
            model::Tensor& tensor = random.tensors[i];
            if (tensor.name != name) continue;
            const std::vector<float> plain = random.values[i];
            for (std::size_t index = 0; index < plain.size(); ++index) {
                const std::size_t output = index / layer.inputs;
                random.values[i][index % layer.inputs * layer.outputs + output] = plain[index];
            }
            model::TensorShape transposed = model::dense_weight(layer, model::DenseOrder::input_major);
            tensor.name = std::move(transposed.name);
            tensor.shape = std::move(transposed.shape);
        }
    }
}

/// Writes a model of that network. The same seed gives the same weights in either order.
inline void write_random_model(const std::filesystem::path& path, const model::Network& network,
                               kernels::testing::Random& random,
                               model::DenseOrder order = model::DenseOrder::output_major) {
    RandomTensors tensors = random_tensors(network, random);
    if (order == model::DenseOrder::input_major) make_input_major(network, tensors);
    model::write_model(path,
                       {.network = network,
                        .preprocessing = {.input_size = 32},
                        .variant = "baseline",
                        .source_sha256 = std::string(64, '0'),
                        .lineage = {"random"}},
                       tensors.tensors);
}

inline void write_narrow_model(const std::filesystem::path& path, kernels::testing::Random& random,
                               std::size_t classes = 10,
                               model::DenseOrder order = model::DenseOrder::output_major) {
    write_random_model(path, narrow_network(classes), random, order);
}

}  // namespace vgg19::testing
