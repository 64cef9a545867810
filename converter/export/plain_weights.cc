#include "converter/export/plain_weights.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/float16.h"
#include "kernels/common/parallel.h"
#include "kernels/dense/dense.h"

namespace vgg19::converter {
namespace {

constexpr std::size_t kernel_taps = 9;

/// A matrix (rows, columns) whose values are computed, a few rows at a time: value(row, column).
template <class Value>
model::TensorStream computed(model::TensorShape tensor, const model::ModelFile& model,
                             const model::Tensor& source, Value value) {
    std::size_t columns = 1;
    for (std::size_t axis = 1; axis < tensor.shape.size(); ++axis) columns *= tensor.shape[axis];
    const std::size_t rows = tensor.shape.front();
    const auto write = [rows, columns, value, &model, bytes = source.bytes](const model::Sink& sink) {
        constexpr std::size_t piece_values = std::size_t{2} << 20U;
        constexpr std::size_t line = 16;  // values of a cache line
        const std::size_t rows_at_once = std::clamp<std::size_t>(piece_values / columns, 1, rows);
        kernels::AlignedBuffer piece(rows_at_once * columns * sizeof(float));
        for (std::size_t begin = 0; begin < rows; begin += rows_at_once) {
            const std::size_t end = std::min(begin + rows_at_once, rows);
            kernels::parallel_for(kernels::available_cpus(), (columns + line - 1) / line,
                                  [&](std::size_t task) {
                                      const std::size_t last = std::min((task + 1) * line, columns);
                                      for (std::size_t row = begin; row < end; ++row) {
                                          float* to = piece.as<float>() + (row - begin) * columns;
                                          for (std::size_t column = task * line; column < last; ++column) {
                                              to[column] = value(row, column);
                                          }
                                      }
                                  });
            sink({piece.data(), (end - begin) * columns * sizeof(float)});
        }
        model.file().mapping().release(bytes);
    };
    return {std::move(tensor.name), model::DType::f32, std::move(tensor.shape), write};
}

/// The convolution before `layer`; null for the first.
const model::ConvolutionLayer* before(const model::ModelFile& model, const model::ConvolutionLayer& layer) {
    const model::ConvolutionLayer* result = nullptr;
    for (const model::ConvolutionLayer& other : model.network().convolutions()) {
        if (other.features_index >= layer.features_index) break;
        result = &other;
    }
    return result;
}

float factor(std::span<const float> factors, std::size_t channel) {
    return factors.empty() ? 1.0F : factors[channel];
}

/// The same tensor under another name and shape.
model::TensorStream renamed(const model::Tensor& source, model::TensorShape tensor) {
    return model::stream_of({std::move(tensor.name), source.dtype, std::move(tensor.shape), source.bytes});
}

template <class Test>
bool any_layer(const model::ModelFile& model, const Test& test) {
    const model::Network& network = model.network();
    return std::any_of(network.convolutions().begin(), network.convolutions().end(), test) ||
           std::any_of(network.dense_layers().begin(), network.dense_layers().end(), test);
}

}  // namespace

bool is_quantized(const model::ModelFile& model, std::string_view layer) {
    return model.is_int8(layer) || model.is_int4(layer);
}

bool any_layer_is_quantized(const model::ModelFile& model) {
    return any_layer(model, [&](const auto& layer) { return is_quantized(model, layer.name); });
}

bool any_layer_is_int8(const model::ModelFile& model) {
    return any_layer(model, [&](const auto& layer) { return model.is_int8(layer.name); });
}

model::TensorStream plain_weight(const model::ModelFile& model, const model::ConvolutionLayer& layer) {
    const model::Tensor& weight = model.tensor(model::weight_name(layer.name));
    const model::ConvolutionLayer* const previous = before(model, layer);
    const std::span<const float> output = model.output_factors(layer.name);
    const std::span<const float> input =
        previous == nullptr ? std::span<const float>() : model.output_factors(previous->name);
    const std::size_t row_length = layer.input_channels * kernel_taps;
    const auto factors = [=](std::size_t row, std::size_t column) {
        return factor(output, row) / factor(input, column / kernel_taps);
    };
    model::TensorShape shape = {weight.name, weight.shape};
    if (model.is_int8(layer.name)) {
        const std::int8_t* const q = weight.as<std::int8_t>().data();
        const float* const scale = model.tensor(model::weight_scale_name(layer.name)).as<float>().data();
        return computed(std::move(shape), model, weight, [=](std::size_t row, std::size_t column) {
            return static_cast<float>(q[row * row_length + column]) * scale[row] * factors(row, column);
        });
    }
    if (output.empty() && input.empty()) return model::stream_of(weight);
    const float* const w = weight.as<float>().data();
    return computed(std::move(shape), model, weight, [=](std::size_t row, std::size_t column) {
        return w[row * row_length + column] * factors(row, column);
    });
}

model::TensorStream plain_weight(const model::ModelFile& model, const model::DenseLayer& layer) {
    const model::Tensor& weight = model.weight(layer);
    model::TensorShape shape = model::dense_weight(layer, model::DenseOrder::output_major);
    // Of a weight (output, input) in the file's order.
    const bool input_major = model.order(layer) == model::DenseOrder::input_major;
    const std::size_t output_stride = input_major ? 1 : layer.inputs;
    const std::size_t input_stride = input_major ? layer.outputs : 1;
    if (model.is_int4(layer.name)) {
        const std::uint8_t* const packed = weight.as<std::uint8_t>().data();
        const std::uint16_t* const scale =
            model.tensor(model::int4_dense_scale(layer).name).as<std::uint16_t>().data();
        const std::size_t groups = model::int4_dense_scale(layer).shape[1];
        return computed(std::move(shape), model, weight, [=](std::size_t output, std::size_t input) {
            const std::size_t group = input * groups + output / kernels::int4_group;
            const std::size_t place = output % kernels::int4_group;
            const unsigned both =
                packed[group * kernels::int4_group_bytes + place % kernels::int4_group_bytes];
            const unsigned half = place < kernels::int4_group_bytes ? both & 0xFU : both >> 4U;
            const int q = static_cast<int>(half) - kernels::int4_offset;
            return static_cast<float>(q) * kernels::float16_value(scale[group]);
        });
    }
    if (model.is_int8(layer.name)) {
        const std::int8_t* const q = weight.as<std::int8_t>().data();
        const float* const scale = model.tensor(model::weight_scale_name(layer.name)).as<float>().data();
        return computed(std::move(shape), model, weight, [=](std::size_t output, std::size_t input) {
            return static_cast<float>(q[output * output_stride + input * input_stride]) * scale[output];
        });
    }
    if (!input_major) return renamed(weight, std::move(shape));
    const float* const w = weight.as<float>().data();
    return computed(std::move(shape), model, weight, [=](std::size_t output, std::size_t input) {
        return w[output * output_stride + input * input_stride];
    });
}

model::TensorStream plain_bias(const model::ModelFile& model, const model::ConvolutionLayer& layer) {
    const model::Tensor& bias = model.tensor(model::bias_name(layer.name));
    const std::span<const float> output = model.output_factors(layer.name);
    if (output.empty()) return model::stream_of(bias);
    const float* const b = bias.as<float>().data();
    return computed({bias.name, bias.shape}, model, bias,
                    [=](std::size_t row, std::size_t) { return b[row] * output[row]; });
}

model::TensorStream plain_bias(const model::ModelFile& model, const model::DenseLayer& layer) {
    return model::stream_of(model.tensor(model::bias_name(layer.name)));
}

std::vector<model::TensorStream> plain_weights(const model::ModelFile& model) {
    std::vector<model::TensorStream> tensors;
    const auto add = [&](const auto& layer) {
        tensors.push_back(plain_weight(model, layer));
        tensors.push_back(plain_bias(model, layer));
    };
    for (const model::ConvolutionLayer& layer : model.network().convolutions()) add(layer);
    for (const model::DenseLayer& layer : model.network().dense_layers()) add(layer);
    return tensors;
}

}  // namespace vgg19::converter
