#include "converter/prune/prune.h"

#include <algorithm>
#include <span>

#include "converter/prune/channels.h"
#include "converter/prune/tensor_list.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// Handles input-major weights as (input channels, area · outputs): whole rows are kept or removed.
void add_input_major(TensorList& list, const model::Tensor& weight, const model::Tensor& bias,
                     const Channels& inputs, std::span<const float> input_bias) {
    const std::size_t channels = inputs.kept.size() + inputs.removed.size();
    const std::size_t outputs = weight.shape[1];
    const std::size_t area = weight.shape[0] / channels;
    const std::span<const float> values = weight.as<float>();
    float* gathered = list.add(weight.name, {area * inputs.kept.size(), outputs}).data();
    for (const auto channel : inputs.kept) {
        const auto rows = values.subspan(channel * area * outputs, area * outputs);
        gathered = std::copy(rows.begin(), rows.end(), gathered);
    }

    const std::span<const float> old_bias = bias.as<float>();
    std::vector<double> sums(old_bias.begin(), old_bias.end());  // sums in the same order as fold_bias
    for (const auto channel : inputs.removed) {
        const double constant = std::max(input_bias[channel], 0.0F);
        for (std::size_t row = channel * area; row < (channel + 1) * area; ++row) {
            for (std::size_t o = 0; o < outputs; ++o) sums[o] += constant * values[row * outputs + o];
        }
    }
    std::transform(sums.begin(), sums.end(), list.add(bias.name, bias.shape).begin(),
                   [](double sum) { return static_cast<float>(sum); });
}

/// Adds the rest of one layer. `input_bias` is the bias of the convolution before it.
void add_layer(TensorList& list, const model::ModelFile& model, const std::string& name,
               const model::Tensor& weight, std::size_t input_channels, const Channels& outputs,
               const Channels& inputs, std::span<const float> input_bias) {
    const model::Tensor& bias = model.tensor(model::bias_name(name));
    if (outputs.complete() && inputs.complete()) {
        for (const model::Tensor& tensor : model.tensors()) {
            if (tensor.name.starts_with(name + '.')) list.add_unchanged(tensor);
        }
        return;
    }
    const std::size_t area = weight.elements() / weight.shape[0] / input_channels;
    const LayerWeights weights{weight.as<float>(), input_channels, area};

    auto shape = weight.shape;
    shape[0] = outputs.kept.size();
    shape[1] = weight.shape[1] / input_channels * inputs.kept.size();
    gather_weights(weights, outputs, inputs, list.add(weight.name, shape));
    fold_bias(weights, bias.as<float>(), outputs, inputs, input_bias, list.add(bias.name, {shape[0]}));
    model.file().mapping().release(weight.bytes);
}

bool is_quantized(const model::ModelFile& model, const model::DenseLayer& layer) {
    return model.is_int8(layer.name) || model.is_int4(layer.name);
}

bool any_dense_is_quantized(const model::ModelFile& model) {
    const auto& layers = model.network().dense_layers();
    return std::any_of(layers.begin(), layers.end(),
                       [&](const model::DenseLayer& layer) { return is_quantized(model, layer); });
}

}  // namespace

void require_fp32_filters(const model::ModelFile& model) {
    model.require_classifier();
    for (const auto& layer : model.network().convolutions()) {
        if (!model.is_int8(layer.name)) continue;
        throw Error(ErrorKind::usage, model.path().string() + ": " + layer.name +
                                          ": expected FP32 filters, found INT8; prune first, then quantise");
    }
}

void require_fp32_throughout(const model::ModelFile& model) {
    require_fp32_filters(model);
    if (!any_dense_is_quantized(model)) return;
    throw Error(ErrorKind::usage,
                model.path().string() +
                    ": expected FP32 weights throughout, found quantised dense layers; prune "
                    "with calibration first, then quantise");
}

void require_prunable(const model::ModelFile& model, const PrunePlan& plan) {
    require_fp32_filters(model);
    const auto& last = model.network().convolutions().back();
    const auto& dense = model.network().dense_layers().front();
    const LayerCut* cut = find_cut(plan, last.features_index);
    if (cut == nullptr || cut->removed.empty() || !is_quantized(model, dense)) return;
    throw Error(ErrorKind::usage,
                model.path().string() + ": " + last.name +
                    ": expected filters to be removed before the dense layers are quantised, found " +
                    dense.name + (model.is_int4(dense.name) ? " in INT4" : " in INT8") +
                    "; prune first, then quantise");
}

model::Network pruned_network(const model::Network& network, const PrunePlan& plan) {
    plan.check("prune plan");
    std::vector<std::size_t> widths;
    std::size_t cuts_used = 0;
    for (const auto& layer : network.convolutions()) {
        widths.push_back(layer.output_channels);
        const LayerCut* cut = find_cut(plan, layer.features_index);
        if (cut == nullptr) continue;
        ++cuts_used;
        if (cut->channels != layer.output_channels) {
            throw Error(ErrorKind::bad_input,
                        "prune plan: " + layer.name + ": expected " + std::to_string(layer.output_channels) +
                            " channels, as in the model, found " + std::to_string(cut->channels));
        }
        widths.back() -= cut->removed.size();
    }
    if (cuts_used != plan.cuts.size()) {
        throw Error(ErrorKind::bad_input, "prune plan: expected layers that are convolutions of the model, " +
                                              network.features_text() + "; found " +
                                              std::to_string(plan.cuts.size() - cuts_used) + " that are not");
    }
    return network.with_widths(widths);
}

void prune_model(const model::ModelFile& model, const PrunePlan& plan, const std::filesystem::path& output,
                 const model::Progress& progress) {
    model::require_other_file(model.path(), output);
    model::Description description = model.description();
    description.network = pruned_network(model.network(), plan);
    require_prunable(model, plan);
    description.variant = any_dense_is_quantized(model) ? "pruned-int8" : "pruned";
    description.lineage.push_back(plan.origin);

    TensorList list;
    Channels inputs = split_channels(model::image_channels, nullptr);
    std::span<const float> input_bias;
    for (const auto& layer : model.network().convolutions()) {
        Channels outputs = split_channels(layer.output_channels, find_cut(plan, layer.features_index));
        add_layer(list, model, layer.name, model.tensor(model::weight_name(layer.name)), layer.input_channels,
                  outputs, inputs, input_bias);
        inputs = std::move(outputs);
        input_bias = model.tensor(model::bias_name(layer.name)).as<float>();
    }
    std::size_t input_channels = model.network().convolutions().back().output_channels;
    for (const auto& layer : model.network().dense_layers()) {
        Channels outputs = split_channels(layer.outputs, nullptr);
        const model::Tensor& weight = model.weight(layer);
        if (!inputs.complete() && model.order(layer) == model::DenseOrder::input_major) {
            add_input_major(list, weight, model.tensor(model::bias_name(layer.name)), inputs, input_bias);
            model.file().mapping().release(weight.bytes);
        } else {
            add_layer(list, model, layer.name, weight, input_channels, outputs, inputs, input_bias);
        }
        inputs = std::move(outputs);
        input_channels = layer.outputs;
    }
    model::write_model(output, description, list.tensors(), progress, model.file().mapping());
}

}  // namespace vgg19::converter
