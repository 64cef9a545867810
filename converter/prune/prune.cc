#include "converter/prune/prune.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "converter/prune/channels.h"
#include "converter/prune/tensor_list.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// A layer and the channels that it keeps. `input_bias` is the bias of the layer before it.
struct KeptLayer {
    const model::Tensor& weight;
    const model::Tensor& bias;
    std::size_t input_channels = 0;
    const Channels& outputs;
    const Channels& inputs;
    std::span<const float> input_bias;
};

/// Handles input-major weights as (input channels, area, outputs).
void add_input_major(TensorList& list, const KeptLayer& layer) {
    const std::size_t outputs = layer.weight.shape[1];
    const std::size_t area = layer.weight.shape[0] / layer.input_channels;
    const std::span<const float> values = layer.weight.as<float>();
    const std::vector<std::size_t>& kept = layer.outputs.kept;
    float* gathered = list.add(layer.weight.name, {area * layer.inputs.kept.size(), kept.size()}).data();
    for (const auto channel : layer.inputs.kept) {
        for (std::size_t row = channel * area; row < (channel + 1) * area; ++row) {
            for (const auto output : kept) *gathered++ = values[row * outputs + output];
        }
    }

    const std::span<const float> old_bias = layer.bias.as<float>();
    std::vector<double> sums(old_bias.begin(), old_bias.end());  // sums in the same order as fold_bias
    for (const auto channel : layer.inputs.removed) {
        const double constant = std::max(layer.input_bias[channel], 0.0F);
        for (std::size_t row = channel * area; row < (channel + 1) * area; ++row) {
            for (std::size_t o = 0; o < outputs; ++o) sums[o] += constant * values[row * outputs + o];
        }
    }
    std::transform(kept.begin(), kept.end(), list.add(layer.bias.name, {kept.size()}).begin(),
                   [&](std::size_t output) { return static_cast<float>(sums[output]); });
}

/// Handles weights as (outputs, input channels, area).
void add_output_major(TensorList& list, const KeptLayer& layer) {
    const model::Tensor& weight = layer.weight;
    const std::size_t area = weight.elements() / weight.shape[0] / layer.input_channels;
    const LayerWeights weights{weight.as<float>(), layer.input_channels, area};
    auto shape = weight.shape;
    shape[0] = layer.outputs.kept.size();
    shape[1] = weight.shape[1] / layer.input_channels * layer.inputs.kept.size();
    gather_weights(weights, layer.outputs, layer.inputs, list.add(weight.name, shape));
    fold_bias(weights, layer.bias.as<float>(), layer.outputs, layer.inputs, layer.input_bias,
              list.add(layer.bias.name, {shape[0]}));
}

/// Adds the rest of the network's layers, from first to last.
class LayersLeft {
  public:
    LayersLeft(const model::ModelFile& model, const PrunePlan& plan) : model_(model), plan_(plan) {}

    void add(const std::string& name, const model::Tensor& weight, bool input_major) {
        const model::Tensor& bias = model_.tensor(model::bias_name(name));
        Channels outputs = output_channels(model_.network(), plan_, layer_++);
        if (outputs.complete() && inputs_.complete()) {
            for (const model::Tensor& tensor : model_.tensors()) {
                if (tensor.name.starts_with(name + '.')) list_.add_unchanged(tensor);
            }
        } else {
            const KeptLayer layer = {weight, bias, inputs_.count(), outputs, inputs_, input_bias_};
            input_major ? add_input_major(list_, layer) : add_output_major(list_, layer);
            model_.file().mapping().release(weight.bytes);
        }
        inputs_ = std::move(outputs);
        input_bias_ = bias.as<float>();
    }
    std::span<const model::Tensor> tensors() const { return list_.tensors(); }

  private:
    const model::ModelFile& model_;
    const PrunePlan& plan_;
    TensorList list_;
    std::size_t layer_ = 0;
    Channels inputs_ = split_channels(model::image_channels, nullptr);  ///< of the next layer
    std::span<const float> input_bias_;
};

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
    const model::Network& network = model.network();
    const std::size_t convolutions = network.convolutions().size();
    for (const PrunableLayer& layer : prunable_layers(network)) {
        const LayerCut* cut = find_cut(plan, layer.part, layer.index);
        if (cut == nullptr || cut->removed.empty()) continue;
        for (const std::size_t number : {layer.reader - 1, layer.reader}) {
            if (number < convolutions) continue;
            const model::DenseLayer& dense = network.dense_layers()[number - convolutions];
            if (!is_quantized(model, dense)) continue;
            throw Error(ErrorKind::usage,
                        model.path().string() + ": " + layer.name() +
                            ": expected filters to be removed before the dense layers are quantised, found " +
                            dense.name + (model.is_int4(dense.name) ? " in INT4" : " in INT8") +
                            "; prune first, then quantise");
        }
    }
}

model::Network pruned_network(const model::Network& network, const PrunePlan& plan) {
    plan.check("prune plan");
    std::vector<std::size_t> widths;
    std::size_t cuts_used = 0;
    for (const PrunableLayer& layer : prunable_layers(network)) {
        widths.push_back(layer.channels);
        const LayerCut* cut = find_cut(plan, layer.part, layer.index);
        if (cut == nullptr) continue;
        ++cuts_used;
        if (cut->channels != layer.channels) {
            throw Error(ErrorKind::bad_input,
                        "prune plan: " + layer.name() + ": expected " + std::to_string(layer.channels) +
                            " channels, as in the model, found " + std::to_string(cut->channels));
        }
        widths.back() -= cut->removed.size();
    }
    if (cuts_used != plan.cuts.size()) {
        throw Error(ErrorKind::bad_input, "prune plan: expected layers that are convolutions of the model, " +
                                              network.features_text() +
                                              ", or hidden layers of its classifier, " +
                                              network.classifier_text() + "; found " +
                                              std::to_string(plan.cuts.size() - cuts_used) + " that are not");
    }
    return with_prunable_widths(network, widths);
}

void prune_model(const model::ModelFile& model, const PrunePlan& plan, const std::filesystem::path& output,
                 const model::Progress& progress) {
    model::require_other_file(model.path(), output);
    model::Description description = model.description();
    description.network = pruned_network(model.network(), plan);
    require_prunable(model, plan);
    description.variant = any_dense_is_quantized(model) ? "pruned-int8" : "pruned";
    description.lineage.push_back(plan.origin);

    LayersLeft left(model, plan);
    for (const auto& layer : model.network().convolutions()) {
        left.add(layer.name, model.tensor(model::weight_name(layer.name)), false);
    }
    for (const auto& layer : model.network().dense_layers()) {
        left.add(layer.name, model.weight(layer), model.order(layer) == model::DenseOrder::input_major);
    }
    model::write_model(output, description, left.tensors(), progress, model.file().mapping());
}

}  // namespace vgg19::converter
