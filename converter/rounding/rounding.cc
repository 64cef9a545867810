#include "converter/rounding/rounding.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <span>
#include <utility>

#include "converter/refit/held_out.h"
#include "converter/rounding/layer_inputs.h"
#include "converter/rounding/layer_weights.h"
#include "converter/rounding/slice_samples.h"
#include "engine/model/output_names.h"
#include "engine/program/program.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// Candidates for ErrorTerms::damping. Larger ones suit few samples.
constexpr double dampings[] = {0.003, 0.03, 0.3};

/// The most inputs whose products are kept at once: those of a convolution with 512 channels.
constexpr std::size_t most_inputs = 4608;

/// Groups of outputs with which a damping is tried, spread over the layer.
constexpr std::size_t trial_groups = 4;

std::size_t samples_for(std::size_t inputs) {
    constexpr std::size_t least = 16384;
    constexpr std::size_t per_input = 4;
    return std::max(least, per_input * inputs);
}

/// All outputs, or some whole groups of them.
std::vector<std::size_t> chosen_outputs(std::size_t outputs, std::size_t most_groups) {
    const std::size_t groups = (outputs + model::int4_group - 1) / model::int4_group;
    const std::size_t count = std::min(groups, most_groups);
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t first = i * groups / count * model::int4_group;
        for (std::size_t output = first; output < std::min(outputs, first + model::int4_group); ++output) {
            chosen.push_back(output);
        }
    }
    return chosen;
}

/// Rows of [all outputs][inputs].
std::vector<float> rows_of(std::span<const float> matrix, std::size_t inputs,
                           std::span<const std::size_t> outputs) {
    std::vector<float> rows;
    rows.reserve(outputs.size() * inputs);
    for (const std::size_t output : outputs) {
        const auto row = matrix.subspan(output * inputs, inputs);
        rows.insert(rows.end(), row.begin(), row.end());
    }
    return rows;
}

void subtract(std::vector<float>& from, std::span<const float> values) {
    for (std::size_t i = 0; i < from.size(); ++i) from[i] -= values[i];
}

/// A layer that is to be rounded.
struct Layer {
    std::string name;
    ExactWeights exact;
    RoundableWeights& weights;
    std::span<const float> exact_bias;
    std::vector<float>& bias;  ///< as it is now, then as it suits the rounded weights
    std::vector<InputSlice> slices;
};

/// A rounded slice with its errors on held-out samples.
struct SliceResult {
    RoundedSlice rounded;
    std::vector<float> bias_changes;
    double damping = 0;
    double chosen = 0;
    double nearest = 0;
    double norm = 0;
};

class Rounder {
  public:
    Rounder(const model::ModelFile& model, const CalibrationImages& images, const FullOptions& options)
        : images_(images),
          free_bias_(options.convolutions.bias_correction),
          execution_(make_plan(model, images.session).execution),
          original_(without_factors(model)) {}

    LayerRounding round(const Layer& layer);
    /// Later layers see these instead of the model's.
    void add(const std::vector<model::Tensor>& tensors) {
        quantized_.insert(quantized_.end(), tensors.begin(), tensors.end());
    }

  private:
    /// Maps are compared as they are between the layers of an equalised model.
    static model::ModelFile without_factors(const model::ModelFile& model) {
        std::vector<model::Tensor> tensors;
        for (const model::ConvolutionLayer& layer : model.network().convolutions()) {
            tensors.push_back(model.tensor(model::weight_name(layer.name)));
            tensors.push_back(model.tensor(model::bias_name(layer.name)));
        }
        return model.with(tensors);
    }

    SliceResult round_slice(const Layer& layer, const InputSlice& slice);
    SliceWeights rounded_weights(const Layer& layer, const SliceSamples& samples,
                                 std::span<const float> exact, std::vector<std::size_t> outputs,
                                 const QuadraticError& error, RoundedSlice& rounded) const;

    const CalibrationImages& images_;
    bool free_bias_;
    layers::Execution execution_;
    model::ModelFile original_;
    std::vector<model::Tensor> quantized_;
};

SliceWeights Rounder::rounded_weights(const Layer& layer, const SliceSamples& samples,
                                      std::span<const float> exact, std::vector<std::size_t> outputs,
                                      const QuadraticError& error, RoundedSlice& rounded) const {
    std::vector<float> wanted = rows_of(exact, error.inputs(), outputs);
    const std::vector<float> weights = wanted;
    const std::vector<float> change = rows_of(error.best_change(), error.inputs(), outputs);
    for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] += change[i];
    rounded = layer.weights.round(error, wanted, outputs, execution_.threads);
    SliceWeights result;
    result.changes = rounded.values;
    subtract(result.changes, weights);
    result.outputs = std::move(outputs);
    result.bias_changes.resize(result.outputs.size());
    if (free_bias_) result.bias_changes = samples.best_bias_changes(result);
    return result;
}

SliceResult Rounder::round_slice(const Layer& layer, const InputSlice& slice) {
    const std::size_t first = slice.first * row_taps(slice.surroundings);
    const std::size_t outputs = layer.exact.outputs;
    const std::vector<float> exact = layer.exact.slice(first, slice.inputs());
    SliceSamples samples(exact, outputs, execution_);
    sample_inputs(original_, original_.with(quantized_), images_, slice, samples_for(slice.inputs()), 1,
                  [&](const InputSamples& found) { samples.add(found); });

    SliceResult result;
    double least = 0;
    std::unique_ptr<QuadraticError> best;
    for (const double damping : dampings) {
        std::unique_ptr<QuadraticError> error = QuadraticError::of(
            samples.equations(), outputs, {free_bias_, damping}, execution_.isa, execution_.threads);
        if (!error) continue;
        RoundedSlice rounded;
        const double found = samples.error(
            rounded_weights(layer, samples, exact, chosen_outputs(outputs, trial_groups), *error, rounded));
        if (best && found >= least) continue;
        least = found;
        best = std::move(error);
        result.damping = damping;
    }
    std::vector<std::size_t> all(outputs);
    std::iota(all.begin(), all.end(), std::size_t{0});
    SliceWeights nearest = {all, layer.weights.slice(first, slice.inputs()),
                            std::vector<float>(layer.bias.begin(), layer.bias.end())};
    subtract(nearest.changes, exact);
    subtract(nearest.bias_changes, layer.exact_bias);
    if (layer.slices.size() > 1) nearest.bias_changes.assign(outputs, 0);
    result.nearest = result.chosen = samples.error(nearest);
    result.norm = samples.norm();
    if (!best) return result;
    const SliceWeights chosen = rounded_weights(layer, samples, exact, all, *best, result.rounded);
    result.bias_changes = chosen.bias_changes;
    result.chosen = samples.error(chosen);
    return result;
}

LayerRounding Rounder::round(const Layer& layer) {
    std::vector<SliceResult> slices;
    LayerRounding report = {.layer = layer.name};
    double norm = 0;
    bool complete = true;
    for (const InputSlice& slice : layer.slices) {
        const SliceResult& result = slices.emplace_back(round_slice(layer, slice));
        report.nearest += result.nearest;
        report.chosen += result.chosen;
        norm += result.norm;
        report.damping = std::max(report.damping, result.damping);
        complete = complete && !result.bias_changes.empty();
    }
    if (complete && report.chosen < report.nearest) {
        std::vector<float> bias(layer.exact_bias.begin(), layer.exact_bias.end());
        for (std::size_t i = 0; i < slices.size(); ++i) {
            const InputSlice& slice = layer.slices[i];
            layer.weights.store(slice.first * row_taps(slice.surroundings), slices[i].rounded);
            for (std::size_t output = 0; output < bias.size(); ++output) {
                bias[output] += slices[i].bias_changes[output];
            }
        }
        layer.bias = std::move(bias);
    } else {
        report.chosen = report.nearest;
        report.damping = 0;
    }
    if (norm > 0) {
        report.nearest /= norm;
        report.chosen /= norm;
    }
    return report;
}

/// The name of the output that a layer reads.
std::string output_before(const model::Network& network, bool is_dense, std::size_t index) {
    using model::OutputKind;
    const auto name_of = [&](OutputKind kind, std::size_t layer) -> std::string {
        for (const model::NetworkOutput& output : model::network_outputs(network)) {
            if (output.kind == kind && output.layer == layer) return output.names.front();
        }
        throw Error(ErrorKind::failed, "rounding: a layer reads no output of the network");
    };
    if (!is_dense) {
        const bool pool = network.convolutions()[index - 1].pool_follows;
        return name_of(pool ? OutputKind::pool : OutputKind::relu, index - 1);
    }
    if (index == 0) return name_of(OutputKind::average_pool, 0);
    const bool relu = network.dense_layers()[index - 1].relu_follows;
    return name_of(relu ? OutputKind::dense_relu : OutputKind::dense, index - 1);
}

std::vector<InputSlice> sliced(const InputSlice& whole) {
    const std::size_t most = most_inputs / row_taps(whole.surroundings);
    const std::size_t parts = (whole.channels + most - 1) / most;
    std::vector<InputSlice> slices;
    for (std::size_t part = 0; part < parts; ++part) {
        InputSlice& slice = slices.emplace_back(whole);
        slice.first = part * whole.channels / parts;
        slice.count = (part + 1) * whole.channels / parts - slice.first;
    }
    return slices;
}

/// The place of a layer in the network's list.
template <class Layers>
std::size_t index_of(const Layers& layers, const std::string& name) {
    const auto found =
        std::find_if(layers.begin(), layers.end(), [&](const auto& layer) { return layer.name == name; });
    return static_cast<std::size_t>(found - layers.begin());
}

LayerRounding round_convolution(Rounder& rounder, const model::ModelFile& model, const FullOptions& options,
                                std::size_t index, QuantizedConvolution& layer) {
    const std::vector<InputSlice> slices =
        sliced({.output = output_before(model.network(), false, index),
                .surroundings = Surroundings::taps_3x3,
                .channels = model.network().convolutions()[index].input_channels,
                .input_scale = layer.input_scale});
    RoundableInt8 weights(layer.weights, options.weight_bits.of(layer.name), slices.size() > 1);
    return rounder.round({.name = layer.name,
                          .exact = {model.tensor(model::weight_name(layer.name)).as<float>(),
                                    layer.weights.outputs, layer.weights.inputs, false},
                          .weights = weights,
                          .exact_bias = model.tensor(model::bias_name(layer.name)).as<float>(),
                          .bias = layer.bias,
                          .slices = slices});
}

LayerRounding round_dense(Rounder& rounder, const model::ModelFile& model, const FullOptions& options,
                          QuantizedDense& dense) {
    const model::DenseLayer& layer = dense.layer;
    const std::size_t index = index_of(model.network().dense_layers(), layer.name);
    const std::vector<InputSlice> slices =
        sliced({.output = output_before(model.network(), true, index), .channels = layer.inputs});
    std::unique_ptr<RoundableWeights> weights;
    if (auto* int8 = std::get_if<QuantizedWeights>(&dense.weights)) {
        weights =
            std::make_unique<RoundableInt8>(*int8, options.weight_bits.of(layer.name), slices.size() > 1);
    } else {
        weights = std::make_unique<RoundableInt4>(std::get<Int4Weights>(dense.weights), layer.outputs);
    }
    const auto bias = model.tensor(model::bias_name(layer.name)).as<float>();
    dense.bias.assign(bias.begin(), bias.end());
    return rounder.round({.name = layer.name,
                          .exact = {model.weight(layer).as<float>(), layer.outputs, layer.inputs,
                                    model.order(layer) == model::DenseOrder::input_major},
                          .weights = *weights,
                          .exact_bias = bias,
                          .bias = dense.bias,
                          .slices = slices});
}

}  // namespace

std::vector<LayerRounding> round_by_error(const model::ModelFile& model,
                                          const std::vector<ConvolutionStatistics>& statistics,
                                          const CalibrationImages& images, const FullOptions& options,
                                          FullQuantization& quantization, const LayerProgress& progress) {
    if (images.items.size() < held_out_period) {
        throw Error(ErrorKind::usage, "--rounding error: expected at least " +
                                          std::to_string(held_out_period) +
                                          " images, of which one judges the others' roundings, found " +
                                          std::to_string(images.items.size()));
    }
    const std::size_t total = quantization.convolutions.size() + quantization.dense_layers.size();
    Rounder rounder(model, images, options);
    std::vector<LayerRounding> report;
    for (QuantizedConvolution& layer : quantization.convolutions) {
        const std::size_t index = index_of(model.network().convolutions(), layer.name);
        report.push_back(round_convolution(rounder, model, options, index, layer));
        measure_errors(layer, model, statistics[index - 1], options.convolutions.threads);
        if (!options.allows_winograd(layer.name)) layer.winograd = {};
        rounder.add(layer.tensors());
        if (progress) progress(report.size(), total);
    }
    for (QuantizedDense& dense : quantization.dense_layers) {
        report.push_back(round_dense(rounder, model, options, dense));
        rounder.add(dense.tensors(model));
        if (progress) progress(report.size(), total);
    }
    return report;
}

}  // namespace vgg19::converter
