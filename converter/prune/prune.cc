#include "converter/prune/prune.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>

#include "kernels/common/parallel.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

/// Which channels of a layer's input or output stay, and what the others were.
struct Channels {
    std::vector<std::size_t> kept;
    std::vector<std::size_t> removed;

    bool complete() const { return removed.empty(); }
};

Channels split_channels(std::size_t channels, const LayerCut* cut) {
    Channels split;
    if (cut != nullptr) split.removed = cut->removed;
    for (std::size_t channel = 0; channel < channels; ++channel) {
        if (!std::binary_search(split.removed.begin(), split.removed.end(), channel)) {
            split.kept.push_back(channel);
        }
    }
    return split;
}

const LayerCut* find_cut(const PrunePlan& plan, std::size_t features_index) {
    const auto found = std::find_if(plan.cuts.begin(), plan.cuts.end(), [&](const LayerCut& cut) {
        return cut.features_index == features_index;
    });
    return found == plan.cuts.end() ? nullptr : &*found;
}

/// Tensors for the writer, and the memory of those that are new.
class TensorList {
  public:
    std::span<float> add(const std::string& name, std::vector<std::size_t> shape) {
        model::Tensor tensor{name, model::DType::f32, std::move(shape), {}};
        const std::size_t elements = tensor.elements();
        owned_.push_back(std::make_unique_for_overwrite<float[]>(elements));
        const std::span<float> values(owned_.back().get(), elements);
        tensor.bytes = std::as_bytes(values);
        tensors_.push_back(std::move(tensor));
        return values;
    }
    void add_unchanged(const model::Tensor& tensor) { tensors_.push_back(tensor); }
    std::span<const model::Tensor> tensors() const { return tensors_; }

  private:
    std::vector<model::Tensor> tensors_;
    std::vector<std::unique_ptr<float[]>> owned_;
};

/// A layer's F32 weights as (outputs, input channels, area): 9 taps a channel for a convolution, 49 columns
/// for the first dense layer.
struct LayerWeights {
    std::span<const float> values;
    std::size_t input_channels = 0;
    std::size_t area = 0;

    std::span<const float> taps(std::size_t output, std::size_t input_channel) const {
        return values.subspan((output * input_channels + input_channel) * area, area);
    }
};

void gather_weights(const LayerWeights& weights, const Channels& outputs, const Channels& inputs,
                    std::span<float> gathered) {
    const std::size_t row_size = inputs.kept.size() * weights.area;
    kernels::parallel_for(kernels::available_cpus(), outputs.kept.size(), [&](std::size_t row) {
        float* destination = gathered.data() + row * row_size;
        for (const auto channel : inputs.kept) {
            const auto taps = weights.taps(outputs.kept[row], channel);
            std::memcpy(destination, taps.data(), taps.size_bytes());
            destination += weights.area;
        }
    });
}

/// The biases that stay, with the constants of the removed input channels folded in.
void fold_bias(const LayerWeights& weights, std::span<const float> bias, const Channels& outputs,
               const Channels& inputs, std::span<const float> input_bias, std::span<float> folded) {
    for (std::size_t row = 0; row < outputs.kept.size(); ++row) {
        double sum = bias[outputs.kept[row]];
        for (const auto channel : inputs.removed) {
            const double constant = std::max(input_bias[channel], 0.0F);
            for (const float tap : weights.taps(outputs.kept[row], channel)) sum += constant * tap;
        }
        folded[row] = static_cast<float>(sum);
    }
}

/// Input-major weights of a dense layer, as (input channels, area · outputs): whole rows go or stay.
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
    std::vector<double> sums(old_bias.begin(), old_bias.end());  // in fold_bias's order of terms
    for (const auto channel : inputs.removed) {
        const double constant = std::max(input_bias[channel], 0.0F);
        for (std::size_t row = channel * area; row < (channel + 1) * area; ++row) {
            for (std::size_t o = 0; o < outputs; ++o) sums[o] += constant * values[row * outputs + o];
        }
    }
    std::transform(sums.begin(), sums.end(), list.add(bias.name, bias.shape).begin(),
                   [](double sum) { return static_cast<float>(sum); });
}

/// Adds what is left of one layer. `input_bias` is that of the convolution before it.
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
    for (const auto& layer : model.network().convolutions()) {
        if (!model.is_int8(layer.name)) continue;
        throw Error(ErrorKind::usage, model.path().string() + ": " + layer.name +
                                          ": expected FP32 filters, found INT8; prune first, then quantise");
    }
}

void require_prunable(const model::ModelFile& model, const PrunePlan& plan) {
    require_fp32_filters(model);
    const auto& last = model.network().convolutions().back();
    const auto& dense = model.network().dense_layers().front();
    const LayerCut* cut = find_cut(plan, last.features_index);
    if (cut == nullptr || cut->removed.empty() || !is_quantized(model, dense)) return;
    throw Error(ErrorKind::usage,
                model.path().string() + ": " + last.name +
                    ": expected filters to go before the dense layers are quantised, found " + dense.name +
                    (model.is_int4(dense.name) ? " in INT4" : " in INT8") + "; prune first, then quantise");
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
                            " channels, as the model has, found " + std::to_string(cut->channels));
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
    model::write_model(output, description, list.tensors(), progress);
}

}  // namespace vgg19::converter
