#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "converter/export/onnx/layers.h"
#include "converter/transpose.h"

namespace vgg19::converter {
namespace {

std::span<const float> weight_scale(const model::ModelFile& model, const std::string& layer) {
    return model.tensor(model::weight_scale_name(layer)).as<float>();
}

std::string add_scales(OnnxGraph& graph, const std::string& name, std::span<const float> scales) {
    return graph.add_values(name, {scales.size()}, std::vector<float>(scales.begin(), scales.end()));
}

/// (inputs, outputs), as the operator reads them.
model::TensorStream input_major_weight(const model::ModelFile& model, const model::DenseLayer& layer) {
    const model::Tensor& weight = model.weight(layer);
    const model::TensorShape wanted = model::dense_weight(layer, model::DenseOrder::input_major);
    if (model.order(layer) == model::DenseOrder::input_major) {
        return model::stream_of({wanted.name, weight.dtype, wanted.shape, weight.bytes});
    }
    const auto write = [&weight, &model](const model::Sink& sink) {
        const kernels::AlignedBuffer values =
            transposed(weight.as<std::int8_t>(), weight.shape[0], weight.shape[1], model.file().mapping());
        sink({values.data(), values.size()});
    };
    return {wanted.name, weight.dtype, wanted.shape, write};
}

/// Σ w[output][input] over all inputs, as engine/layers/dense.cc computes it.
std::vector<float> weight_sums(const model::ModelFile& model, const model::DenseLayer& layer) {
    const std::span<const std::int8_t> q = model.weight(layer).as<std::int8_t>();
    const bool input_major = model.order(layer) == model::DenseOrder::input_major;
    std::vector<std::int64_t> sums(layer.outputs);
    for (std::size_t i = 0; i < q.size(); ++i) {
        sums[input_major ? i % layer.outputs : i / layer.inputs] += q[i];
    }
    std::vector<float> result(layer.outputs);
    std::transform(sums.begin(), sums.end(), weight_scale(model, layer.name).begin(), result.begin(),
                   [](std::int64_t sum, float scale) { return static_cast<float>(sum) * scale; });
    return result;
}

/// The input less its smallest value, if that is negative, and the bias that makes up for it: 8-bit inputs
/// have no sign.
struct Shifted {
    std::string input;
    std::string bias;
};

Shifted add_shift(OnnxGraph& graph, const model::ModelFile& model, const model::DenseLayer& layer,
                  const std::string& input, const std::string& bias) {
    const std::string& name = layer.name;
    const std::string lowest = graph.add("ReduceMin", {input}, name + ".lowest");
    graph.set_list("axes", {1});
    const std::string least =
        graph.add("Min", {lowest, graph.add_number(name + ".zero", 0.0F)}, name + ".least");
    const std::string sums =
        graph.add_values(name + ".weight_sums", {1, layer.outputs}, weight_sums(model, layer));
    const std::string lost = graph.add("MatMul", {least, sums}, name + ".lost");
    return {graph.add("Sub", {input, least}, name + ".shifted"),
            graph.add("Add", {bias, lost}, name + ".shifted_bias")};
}

/// The scale of each image's input, (batch, 1): its largest value is 255 steps.
std::string add_input_scales(OnnxGraph& graph, const std::string& layer, const std::string& input) {
    const std::string largest = graph.add("ReduceMax", {input}, layer + ".largest");
    graph.set_list("axes", {1});
    const std::string scale =
        graph.add("Div", {largest, graph.add_number(layer + ".steps", 255.0F)}, layer + ".scale");
    // An image of zeros would be divided by zero.
    const std::string smallest =
        graph.add_number(layer + ".smallest_scale", std::numeric_limits<float>::min());
    return graph.add("Max", {scale, smallest}, layer + ".input_scale");
}

std::string add_steps(OnnxGraph& graph, const std::string& layer, const std::string& input,
                      const std::string& scale) {
    const std::string inverse =
        graph.add("Div", {graph.add_number(layer + ".one", 1.0F), scale}, layer + ".inverse_scale");
    const std::string steps = graph.add("Mul", {input, inverse}, layer + ".in_steps");
    graph.add("Cast", {graph.add("Round", {steps}, layer + ".rounded")}, layer + ".quantized");
    graph.set("to", onnx::TensorProto::UINT8);
    return layer + ".quantized";
}

}  // namespace

std::string add_quantization(OnnxGraph& graph, const std::string& input, float scale,
                             const std::string& scale_name) {
    if (!graph.has_constant(scale_name)) {
        graph.add_number(scale_name, scale);
        graph.add_number(scale_name + ".zero_point", std::uint8_t{0});
    }
    const std::string zero_point = scale_name + ".zero_point";
    const std::string quantized =
        graph.add("QuantizeLinear", {input, scale_name, zero_point}, input + ".quantized");
    return graph.add("DequantizeLinear", {quantized, scale_name, zero_point}, input + ".dequantized");
}

std::string add_int8_weight(OnnxGraph& graph, const model::ModelFile& model,
                            const model::ConvolutionLayer& layer) {
    const std::string weight =
        graph.add_constant(model::stream_of(model.tensor(model::weight_name(layer.name))));
    const std::string scale =
        add_scales(graph, model::weight_scale_name(layer.name), weight_scale(model, layer.name));
    const std::string zero_points = graph.add_values(weight + "_zero_point", {layer.output_channels},
                                                     std::vector<std::int8_t>(layer.output_channels));
    graph.add("DequantizeLinear", {weight, scale, zero_points}, weight + ".dequantized");
    graph.set("axis", 0);
    return weight + ".dequantized";
}

std::string add_int8_bias(OnnxGraph& graph, const model::ModelFile& model,
                          const model::ConvolutionLayer& layer, float input_scale) {
    const model::Tensor& bias = model.tensor(model::bias_name(layer.name));
    const std::span<const float> values = bias.as<float>();
    const std::span<const float> scales = weight_scale(model, layer.name);
    std::vector<float> steps;
    std::vector<std::int32_t> quantized;
    for (std::size_t o = 0; o < values.size(); ++o) {
        steps.push_back(scales[o] * input_scale);
        const double rounded = std::nearbyint(double{values[o]} / steps.back());
        constexpr double most = std::numeric_limits<std::int32_t>::max();
        // Beside such a bias sums count for nothing.
        if (!(std::abs(rounded) <= most)) return graph.add_constant(model::stream_of(bias));
        quantized.push_back(static_cast<std::int32_t>(rounded));
    }
    const std::string name = graph.add_values(bias.name, bias.shape, std::move(quantized));
    const std::string scale = graph.add_values(bias.name + "_scale", bias.shape, std::move(steps));
    graph.add("DequantizeLinear", {name, scale}, name + ".dequantized");
    graph.set("axis", 0);
    return name + ".dequantized";
}

std::string add_int8_dense(OnnxGraph& graph, const model::ModelFile& model, const model::DenseLayer& layer,
                           const std::string& input, const std::string& output) {
    const std::string& name = layer.name;
    std::string bias = graph.add_constant(model::stream_of(model.tensor(model::bias_name(name))));
    std::string unsigned_input = input;
    if (layer.signed_input) {
        const Shifted shifted = add_shift(graph, model, layer, input, bias);
        unsigned_input = shifted.input;
        bias = shifted.bias;
    }
    const std::string input_scale = add_input_scales(graph, name, unsigned_input);
    const std::string quantized = add_steps(graph, name, unsigned_input, input_scale);
    const std::string weight = graph.add_constant(input_major_weight(model, layer));
    const std::string sums = graph.add("MatMulInteger", {quantized, weight}, name + ".sums");
    graph.add("Cast", {sums}, name + ".float_sums");
    graph.set("to", onnx::TensorProto::FLOAT);
    // A product of matrices, since ONNX Runtime's optimisations take a Mul of two scales here for one of the
    // whole batch, which gives wrong results.
    const std::span<const float> scales = weight_scale(model, name);
    const std::string weight_scales = graph.add_values(model::weight_scale_name(name), {1, layer.outputs},
                                                       std::vector<float>(scales.begin(), scales.end()));
    const std::string factors = graph.add("MatMul", {input_scale, weight_scales}, name + ".factors");
    const std::string scaled = graph.add("Mul", {name + ".float_sums", factors}, name + ".scaled");
    return graph.add("Add", {scaled, bias}, output);
}

}  // namespace vgg19::converter
