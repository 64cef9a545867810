// For tests: the convolutions of a random network in INT8.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "engine/model/model_file.h"
#include "engine/testing/reference_network.h"

namespace vgg19::testing {

/// Tensors that replace those of all convolutions but the first, and their memory.
class Int8Tensors {
  public:
    /// The scales of inputs are those of the FP32 model's for this image.
    Int8Tensors(const model::ModelFile& file, MapSize size, const std::vector<float>& image) {
        const ReferenceNetwork reference(file, 1, size, image);
        std::string before;  // the value that the layer reads
        for (const model::NetworkOutput& output : model::network_outputs(file.network())) {
            if (output.kind == model::OutputKind::convolution && output.layer > 0) {
                add(file, file.network().convolutions()[output.layer], reference[before]);
            }
            before = output.names.front();
        }
    }

    const std::vector<model::Tensor>& tensors() const { return tensors_; }

  private:
    static float step(const float* values, std::size_t count, float most) {
        float largest = 0;
        for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(values[i]));
        return largest == 0 ? 1.0F : largest / most;
    }

    void add(const model::ModelFile& file, const model::ConvolutionLayer& layer,
             const std::vector<float>& input) {
        const model::Tensor& weight = file.tensor(model::weight_name(layer.name));
        const auto values = weight.as<float>();
        const std::size_t row = values.size() / layer.output_channels;
        std::vector<std::int8_t>& whole = int8_.emplace_back();
        std::vector<float> scales;
        for (std::size_t o = 0; o < layer.output_channels; ++o) {
            scales.push_back(step(values.data() + o * row, row, 127));
            for (std::size_t i = 0; i < row; ++i) {
                whole.push_back(static_cast<std::int8_t>(std::nearbyint(values[o * row + i] / scales[o])));
            }
        }
        tensors_.push_back({weight.name, model::DType::i8, weight.shape, std::as_bytes(std::span(whole))});
        tensors_.push_back(file.tensor(model::bias_name(layer.name)));
        add_floats(model::weight_scale_name(layer.name), scales);
        const float input_scale = step(input.data(), input.size(), 255);
        add_floats(model::input_scale_name(layer.name), {input_scale});
        // Few transformed inputs are clamped then.
        constexpr float of_f2x2 = 4;
        constexpr float of_f4x4 = 12;
        add_floats(model::winograd_input_scale_name(layer.name),
                   std::vector<float>(model::winograd_positions, of_f2x2 * input_scale));
        add_floats(model::winograd_f4x4_input_scale_name(layer.name),
                   std::vector<float>(model::winograd_f4x4_positions, of_f4x4 * input_scale));
    }

    void add_floats(const std::string& name, std::vector<float> values) {
        const std::vector<float>& kept = floats_.emplace_back(std::move(values));
        tensors_.push_back({name, model::DType::f32, {kept.size()}, std::as_bytes(std::span(kept))});
    }

    std::deque<std::vector<std::int8_t>> int8_;
    std::deque<std::vector<float>> floats_;
    std::vector<model::Tensor> tensors_;
};

}  // namespace vgg19::testing
