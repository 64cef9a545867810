#include "converter/quantize/quantize.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <vector>

#include "converter/transpose.h"
#include "kernels/common/parallel.h"
#include "kernels/dense_int8/dense_int8.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

constexpr float largest_quantized = 127.0F;

/// The bits of a float without its sign are ordered as the magnitudes are, and integers have a maximum that
/// compilers vectorise. NaN and infinity come out on top.
float largest_magnitude(std::span<const float> values) {
    std::int32_t largest = 0;
    for (const float value : values) {
        largest = std::max(largest, std::bit_cast<std::int32_t>(value) & 0x7fffffff);
    }
    return std::bit_cast<float>(largest);
}

/// To the nearest whole number, ties to even, for magnitudes below 2^22: at 1.5 · 2^23 a float's step is 1.
/// Vectorises without SSE4.1's rounding instruction.
float round_to_even(float value) {
    constexpr float step_is_one = 12582912.0F;
    return (value + step_is_one) - step_is_one;
}

/// One dense layer in INT8, as the writer wants it.
struct QuantizedLayer {
    std::unique_ptr<std::int8_t[]> weights;
    std::vector<float> scales;
};

/// Rows that one task quantises: a cache line of each row of input-major weights.
constexpr std::size_t rows_per_task = 16;

/// The weights of outputs [begin, end), output by output: in place, or transposed into `copy`.
std::span<const float> output_rows(const model::DenseLayer& layer, const model::ModelFile& model,
                                   std::size_t begin, std::size_t end, std::span<float> copy) {
    const std::span<const float> weights = model.weight(layer).as<float>();
    if (model.order(layer) == model::DenseOrder::output_major) {
        return weights.subspan(begin * layer.inputs, (end - begin) * layer.inputs);
    }
    transpose({weights.data() + begin, layer.outputs}, layer.inputs, end - begin,
              {copy.data(), layer.inputs});
    return copy;
}

QuantizedLayer quantize_layer(const model::DenseLayer& layer, const model::ModelFile& model) {
    QuantizedLayer quantized;
    quantized.weights = std::make_unique_for_overwrite<std::int8_t[]>(layer.inputs * layer.outputs);
    quantized.scales.resize(layer.outputs);
    const auto parts = static_cast<std::size_t>(kernels::available_cpus());
    std::vector<std::vector<float>> copies(parts, std::vector<float>(rows_per_task * layer.inputs));
    kernels::parallel_for(static_cast<int>(parts), parts, [&](std::size_t part) {
        const kernels::Range range = kernels::part_of(layer.outputs, parts, part, rows_per_task);
        for (std::size_t begin = range.begin; begin < range.end; begin += rows_per_task) {
            const std::size_t end = std::min(begin + rows_per_task, range.end);
            std::span<const float> rows = output_rows(layer, model, begin, end, copies[part]);
            for (std::size_t row = begin; row < end; ++row) {
                quantized.scales[row] = quantize_row(rows.first(layer.inputs),
                                                     {&quantized.weights[row * layer.inputs], layer.inputs});
                rows = rows.subspan(layer.inputs);
            }
        }
    });
    return quantized;
}

void require_finite_scales(const model::ModelFile& model, const model::DenseLayer& layer,
                           const QuantizedLayer& quantized) {
    for (std::size_t row = 0; row < quantized.scales.size(); ++row) {
        if (std::isfinite(quantized.scales[row])) continue;
        throw Error(ErrorKind::bad_input, model.path().string() + ": tensor " + model.weight(layer).name +
                                              ": output " + std::to_string(row) +
                                              ": expected finite weights, found NaN or infinity");
    }
}

void require_quantizable(const model::ModelFile& model) {
    for (const auto& layer : model.network().dense_layers()) {
        const std::string place = model.path().string() + ": " + layer.name;
        if (model.is_int8(layer.name)) {
            throw Error(ErrorKind::bad_input,
                        place + ": expected FP32 weights, found INT8: the model is quantised already");
        }
        if (layer.inputs > kernels::dense_int8_max_inputs) {
            throw Error(ErrorKind::bad_input, place + ": expected at most " +
                                                  std::to_string(kernels::dense_int8_max_inputs) +
                                                  " inputs, whose products a 32-bit sum holds, found " +
                                                  std::to_string(layer.inputs));
        }
    }
}

}  // namespace

float quantize_row(std::span<const float> weights, std::span<std::int8_t> quantized) {
    float scale = largest_magnitude(weights) / largest_quantized;
    if (!std::isfinite(scale)) return scale;
    if (scale == 0) scale = 1;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        // A denormal scale is coarse, so the quotient can pass 127.
        const float clamped = std::clamp(weights[i] / scale, -largest_quantized, largest_quantized);
        quantized[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(round_to_even(clamped)));
    }
    return scale;
}

void quantize_dense(const model::ModelFile& model, const std::filesystem::path& output,
                    const model::Progress& progress) {
    model::require_other_file(model.path(), output);
    require_quantizable(model);
    model::Description description = model.description();
    description.variant = description.variant == "baseline" ? "int8" : description.variant + "-int8";
    description.lineage.emplace_back("quantize --scope dense");

    std::vector<model::Tensor> tensors;
    for (const auto& layer : model.network().convolutions()) {
        tensors.push_back(model.tensor(model::weight_name(layer.name)));
        tensors.push_back(model.tensor(model::bias_name(layer.name)));
    }
    std::vector<QuantizedLayer> quantized;
    quantized.reserve(model.network().dense_layers().size());
    for (const auto& layer : model.network().dense_layers()) {
        const auto& result = quantized.emplace_back(quantize_layer(layer, model));
        model.file().mapping().release(model.weight(layer).bytes);
        require_finite_scales(model, layer, result);
        const auto weight = model::dense_weight(layer, model::DenseOrder::output_major);
        tensors.push_back({weight.name, model::DType::i8, weight.shape,
                           std::as_bytes(std::span(result.weights.get(), layer.inputs * layer.outputs))});
        tensors.push_back({model::weight_scale_name(layer.name),
                           model::DType::f32,
                           {layer.outputs},
                           std::as_bytes(std::span(result.scales))});
        tensors.push_back(model.tensor(model::bias_name(layer.name)));
    }
    model::write_model(output, description, tensors, progress);
}

}  // namespace vgg19::converter
