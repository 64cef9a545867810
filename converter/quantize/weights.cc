#include "converter/quantize/weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "converter/quantize/rounding.h"
#include "converter/transpose.h"
#include "kernels/common/parallel.h"
#include "kernels/conv_int8/conv_int8.h"
#include "kernels/dense/dense.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// Shares of max|w| to which the largest quantised weight may be scaled. Down to the best one for three
/// levels of normally distributed weights.
constexpr float shares_step = 0.05F;
constexpr int least_share = 4;  ///< in steps
constexpr int all_shares = 20;

float squared_error(std::span<const float> weights, float scale, float largest) {
    const float inverse = 1 / scale;
    constexpr std::size_t lanes = 16;
    std::array<float, lanes> sums{};
    for (std::size_t begin = 0; begin < weights.size(); begin += lanes) {
        const std::size_t count = std::min(lanes, weights.size() - begin);
        for (std::size_t i = 0; i < count; ++i) {
            const float weight = weights[begin + i];
            const float error =
                weight - scale * round_to_even(std::clamp(weight * inverse, -largest, largest));
            sums[i] += error * error;
        }
    }
    return std::accumulate(sums.begin(), sums.end(), 0.0F);
}

/// The one with the least squared error, among shares of the largest.
float best_scale(std::span<const float> weights, float largest_scale, float largest) {
    float best = largest_scale;
    float least_error = squared_error(weights, largest_scale, largest);
    for (int share = all_shares - 1; share >= least_share; --share) {
        const float scale = largest_scale * (shares_step * static_cast<float>(share));
        const float error = squared_error(weights, scale, largest);
        if (!(error < least_error)) continue;
        least_error = error;
        best = scale;
    }
    return best;
}

/// Rows per task: one cache line of each row of input-major weights.
constexpr std::size_t rows_per_task = 16;

/// The weights of outputs [begin, end), output-major: a view, or transposed into `copy`.
std::span<const float> output_rows(const model::DenseLayer& layer, const model::ModelFile& model,
                                   std::size_t begin, std::size_t end, std::span<float> copy) {
    const std::span<const float> weights = model.weight(layer).as<float>();
    if (model.order(layer) == model::DenseOrder::output_major) {
        return weights.subspan(begin * layer.inputs, (end - begin) * layer.inputs);
    }
    transpose<float>({weights.data() + begin, layer.outputs}, layer.inputs, end - begin,
                     {copy.data(), layer.inputs});
    return copy;
}

/// Quantises the rows returned by rows(begin, end, part), on all CPUs.
template <class Rows>
QuantizedWeights quantize_rows(std::size_t outputs, std::size_t inputs, bool input_major, int bits,
                               Rows rows) {
    QuantizedWeights quantized = {.values = std::make_unique_for_overwrite<std::int8_t[]>(outputs * inputs),
                                  .outputs = outputs,
                                  .inputs = inputs,
                                  .scales = std::vector<float>(outputs),
                                  .input_major = input_major};
    const auto parts = static_cast<std::size_t>(kernels::available_cpus());
    kernels::parallel_for(static_cast<int>(parts), parts, [&](std::size_t part) {
        const kernels::Range range = kernels::part_of(outputs, parts, part, rows_per_task);
        std::vector<std::int8_t> copy(input_major ? rows_per_task * inputs : 0);
        for (std::size_t begin = range.begin; begin < range.end; begin += rows_per_task) {
            const std::size_t end = std::min(begin + rows_per_task, range.end);
            std::span<const float> weights = rows(begin, end, part);
            std::int8_t* values = input_major ? copy.data() : &quantized.values[begin * inputs];
            for (std::size_t row = begin; row < end; ++row, weights = weights.subspan(inputs)) {
                quantized.scales[row] =
                    quantize_row(weights.first(inputs), {values + (row - begin) * inputs, inputs}, bits);
            }
            if (!input_major) continue;
            transpose<std::int8_t>({values, inputs}, end - begin, inputs,
                                   {&quantized.values[begin], outputs});
        }
    });
    return quantized;
}

void require_finite_scales(const model::ModelFile& model, const std::string& tensor,
                           const QuantizedWeights& quantized) {
    for (std::size_t row = 0; row < quantized.scales.size(); ++row) {
        if (std::isfinite(quantized.scales[row])) continue;
        throw Error(ErrorKind::bad_input, model.path().string() + ": tensor " + tensor + ": output " +
                                              std::to_string(row) +
                                              ": expected finite weights, found NaN or infinity");
    }
}

void require_inputs(const model::ModelFile& model, const std::string& layer, std::size_t most,
                    std::size_t found) {
    if (found <= most) return;
    throw Error(ErrorKind::bad_input, model.path().string() + ": " + layer + ": expected at most " +
                                          std::to_string(most) + " inputs, so that sums fit 32 bits, found " +
                                          std::to_string(found));
}

}  // namespace

float quantize_row(std::span<const float> weights, std::span<std::int8_t> quantized, int bits) {
    const auto largest = static_cast<float>(largest_weight(bits));
    float scale = largest_magnitude(weights) / largest;
    if (!std::isfinite(scale)) return scale;
    if (scale == 0) scale = 1;
    if (bits < most_weight_bits && std::isnormal(shares_step * scale)) {
        scale = best_scale(weights, scale, largest);
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
        // A denormal scale has low precision, so the quotient may exceed 127.
        const float clamped = std::clamp(weights[i] / scale, -largest, largest);
        quantized[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(round_to_even(clamped)));
    }
    return scale;
}

void QuantizedWeights::append_tensors(const std::string& layer, const model::TensorShape& weight,
                                      std::vector<model::Tensor>& tensors) const {
    tensors.push_back({weight.name, model::DType::i8, weight.shape,
                       std::as_bytes(std::span(values.get(), outputs * inputs))});
    tensors.push_back(
        {model::weight_scale_name(layer), model::DType::f32, {outputs}, std::as_bytes(std::span(scales))});
}

QuantizedWeights quantize_weights(const model::DenseLayer& layer, const model::ModelFile& model, int bits) {
    require_inputs(model, layer.name, kernels::dense_int8_max_inputs, layer.inputs);
    const auto parts = static_cast<std::size_t>(kernels::available_cpus());
    std::vector<std::vector<float>> copies(parts, std::vector<float>(rows_per_task * layer.inputs));
    const bool input_major = model.order(layer) == model::DenseOrder::input_major;
    QuantizedWeights quantized = quantize_rows(layer.outputs, layer.inputs, input_major, bits,
                                               [&](std::size_t begin, std::size_t end, std::size_t part) {
                                                   return output_rows(layer, model, begin, end, copies[part]);
                                               });
    const model::Tensor& weights = model.weight(layer);
    model.file().mapping().release(weights.bytes);
    require_finite_scales(model, weights.name, quantized);
    return quantized;
}

QuantizedWeights quantize_weights(const model::ConvolutionLayer& layer, const model::ModelFile& model,
                                  int bits) {
    require_inputs(model, layer.name, kernels::conv_int8_max_input_channels, layer.input_channels);
    const std::string name = model::weight_name(layer.name);
    const std::span<const float> weights = model.tensor(name).as<float>();
    const std::size_t inputs = weights.size() / layer.output_channels;
    QuantizedWeights quantized = quantize_rows(
        layer.output_channels, inputs, false, bits, [&](std::size_t begin, std::size_t end, std::size_t) {
            return weights.subspan(begin * inputs, (end - begin) * inputs);
        });
    require_finite_scales(model, name, quantized);
    return quantized;
}

void require_fp32(const model::ModelFile& model) {
    model.require_classifier();
    const auto require = [&](const std::string& layer) {
        if (!model.is_int8(layer) && !model.is_int4(layer)) return;
        throw Error(ErrorKind::bad_input,
                    model.path().string() + ": " + layer + ": expected FP32 weights, found " +
                        (model.is_int4(layer) ? "INT4" : "INT8") + ": the model is quantised already");
    };
    for (const auto& layer : model.network().convolutions()) require(layer.name);
    for (const auto& layer : model.network().dense_layers()) require(layer.name);
}

}  // namespace vgg19::converter
