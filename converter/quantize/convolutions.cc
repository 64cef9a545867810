#include "converter/quantize/convolutions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::converter {

namespace {

constexpr std::size_t taps = 9;
constexpr int input_levels = 255;

/// The quantization scale of the input. If all values are so small that the scale would be denormal, any
/// scale will do.
float input_scale(const Histogram& inputs, float limit) {
    const float scale = limit / input_levels;
    return inputs.largest() == 0 || scale < std::numeric_limits<float>::min() ? 1 : scale;
}

/// One scale per position, chosen so that the kernel's fixed-point multipliers are integers: then the scales
/// in the file are exactly those of the kernel.
template <class Points>
std::array<float, Points::positions> winograd_input_scales(const ConvolutionStatistics& statistics,
                                                           RangeMethod method, float scale) {
    constexpr float most = kernels::winograd_int8_largest_multiplier;
    std::array<float, Points::positions> scales{};
    for (std::size_t p = 0; p < scales.size(); ++p) {
        const int levels = transformed_levels(p);
        const float limit = choose_limit(statistics.transformed<Points>()[p], method, levels);
        const float step = limit / static_cast<float>(levels);
        const float one = kernels::winograd_int8_multiplier_one(Points::kernel) * scale;
        // Rounded down: the larger step does not clip more than requested.
        const float multiplier = step * most > one ? std::max(std::floor(one / step), 1.0F) : most;
        scales[p] = one / multiplier;
    }
    return scales;
}

std::vector<float> corrected_bias(std::span<const float> bias, std::span<const float> weights,
                                  const QuantizedWeights& quantized,
                                  const ConvolutionStatistics& statistics) {
    std::vector<double> means(quantized.inputs);
    for (std::size_t i = 0; i < means.size(); ++i) means[i] = statistics.tap_mean(i / taps, i % taps);
    std::vector<float> corrected(bias.begin(), bias.end());
    for (std::size_t output = 0; output < quantized.outputs; ++output) {
        const std::span<const std::int8_t> row = quantized.row(output);
        const auto scale = static_cast<double>(quantized.scales[output]);
        double shift = 0;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const auto weight = static_cast<double>(weights[output * row.size() + i]);
            shift += (scale * row[i] - weight) * means[i];
        }
        corrected[output] = static_cast<float>(static_cast<double>(bias[output]) - shift);
    }
    return corrected;
}

}  // namespace

QuantizedConvolution quantize_convolution(const model::ConvolutionLayer& layer, const model::ModelFile& model,
                                          const ConvolutionStatistics& statistics,
                                          const ConvolutionOptions& options, int bits) {
    const auto weights = model.tensor(model::weight_name(layer.name)).as<float>();
    const auto bias = model.tensor(model::bias_name(layer.name)).as<float>();
    QuantizedConvolution result;
    result.name = layer.name;
    result.shape = {layer.output_channels, layer.input_channels, 3, 3};
    result.weights = quantize_weights(layer, model, bits);
    result.bias = options.bias_correction ? corrected_bias(bias, weights, result.weights, statistics)
                                          : std::vector<float>(bias.begin(), bias.end());

    const float limit = choose_limit(statistics.inputs(), options.range, input_levels);
    result.input_scale = input_scale(statistics.inputs(), limit);
    result.clipped = clipped_share(statistics.inputs(), limit);
    result.winograd_input_scale =
        winograd_input_scales<TileF2x2>(statistics, options.range, result.input_scale);
    result.winograd_f4x4_input_scale =
        winograd_input_scales<TileF4x4>(statistics, options.range, result.input_scale);
    measure_errors(result, model, statistics, options.threads);
    return result;
}

void measure_errors(QuantizedConvolution& convolution, const model::ModelFile& model,
                    const ConvolutionStatistics& statistics, int threads) {
    const auto weights = model.tensor(model::weight_name(convolution.name)).as<float>();
    const auto bias = model.tensor(model::bias_name(convolution.name)).as<float>();
    convolution.error = tile_error(statistics, weights, bias,
                                   {.weights = convolution.weights,
                                    .bias = convolution.bias,
                                    .input_scale = convolution.input_scale,
                                    .winograd_input_scale = convolution.winograd_input_scale,
                                    .winograd_f4x4_input_scale = convolution.winograd_f4x4_input_scale},
                                   threads);
    const auto is_accurate = [&](double error) {
        const double direct = convolution.error.direct;
        return error * error - direct * direct <= largest_winograd_error * largest_winograd_error;
    };
    convolution.winograd = {
        .f2x2 = statistics.fills_tiles<TileF2x2>() && is_accurate(convolution.error.winograd),
        .f4x4 = statistics.fills_tiles<TileF4x4>() && is_accurate(convolution.error.winograd_f4x4)};
}

std::vector<model::Tensor> QuantizedConvolution::tensors(WinogradTiles with) const {
    std::vector<model::Tensor> result;
    weights.append_tensors(name, {model::weight_name(name), shape}, result);
    const auto append = [&](std::string tensor, std::span<const float> values) {
        result.push_back({std::move(tensor), model::DType::f32, {values.size()}, std::as_bytes(values)});
    };
    append(model::bias_name(name), bias);
    append(model::input_scale_name(name), {&input_scale, 1});
    if (with.f2x2) append(model::winograd_input_scale_name(name), winograd_input_scale);
    if (with.f4x4) append(model::winograd_f4x4_input_scale_name(name), winograd_f4x4_input_scale);
    return result;
}

}  // namespace vgg19::converter
