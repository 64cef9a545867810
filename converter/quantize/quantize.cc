#include "converter/quantize/quantize.h"

#include <algorithm>

#include "converter/lineage.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

bool is_among(const std::string& name, const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

void append(std::vector<model::Tensor>& tensors, const std::vector<model::Tensor>& more) {
    tensors.insert(tensors.end(), more.begin(), more.end());
}

void check_names(const char* option, const std::vector<std::string>& names,
                 const std::vector<std::string>& known) {
    for (const std::string& name : names) {
        if (is_among(name, known)) continue;
        throw Error(ErrorKind::usage, std::string(option) + ": expected layers of the model, " +
                                          known.front() + " to " + known.back() + ", found '" + name + "'");
    }
}

/// What a quantization step adds to a description.
struct Step {
    std::string variant;  ///< the variant's name if a baseline is quantised
    std::string lineage;
};

void write(const model::ModelFile& model, const FullQuantization& quantization, const Step& step,
           const model::Destination& output, const model::Progress& progress) {
    model::require_other_file(model.path(), output.path);
    model::Description description = model.description();
    const bool is_baseline = description.variant == "baseline";
    description.variant = is_baseline ? step.variant : description.variant + "-" + step.variant;
    description.lineage.push_back(step.lineage);

    std::vector<model::Tensor> replaced;
    for (const QuantizedConvolution& layer : quantization.convolutions) {
        append(replaced, layer.tensors());
        const model::Tensor* factors = model.find(model::output_factor_name(layer.name));
        if (factors != nullptr) replaced.push_back(*factors);
    }
    for (const QuantizedDense& layer : quantization.dense_layers) append(replaced, layer.tensors(model));
    model::write_model(output, description, model.with(replaced).tensors(), progress, model.file().mapping());
}

QuantizedDense quantize_layer(const model::DenseLayer& layer, const model::ModelFile& model, DenseType type,
                              int bits = most_weight_bits) {
    if (type == DenseType::int4) return {layer, quantize_int4(layer, model), {}};
    return {layer, quantize_weights(layer, model, bits), {}};
}

/// Bits that would have no effect are an error.
void check_weight_bits(const model::Network& network, const FullOptions& options) {
    const auto refuse = [](const std::string& layer, const std::string& reason) {
        throw Error(ErrorKind::usage,
                    "--weight-bits: expected layers that become INT8, found '" + layer + "', " + reason);
    };
    for (const std::string& layer : options.weight_bits.names()) {
        if (layer == network.convolutions().front().name) refuse(layer, "which stays FP32");
        if (is_among(layer, options.keep_fp32)) refuse(layer, "which --keep-fp32 names too");
        const auto& dense = network.dense_layers();
        const bool is_dense =
            std::any_of(dense.begin(), dense.end(), [&](const auto& of) { return of.name == layer; });
        if (is_dense && options.dense == DenseType::int4) refuse(layer, "which becomes INT4");
    }
}

}  // namespace

void quantize_dense(const model::ModelFile& model, const model::Destination& output, DenseType type,
                    const model::Progress& progress) {
    require_fp32(model);
    FullQuantization quantization;
    for (const auto& layer : model.network().dense_layers()) {
        quantization.dense_layers.push_back(quantize_layer(layer, model, type));
    }
    const std::string step = surgery_name(Surgery::quantize) + std::string(" --scope dense") +
                             (type == DenseType::int4 ? " --dense int4" : "");
    write(model, quantization, {"int8", step}, output, progress);
}

void quantize_dense(const model::ModelFile& model, const model::Destination& output,
                    const model::Progress& progress) {
    quantize_dense(model, output, DenseType::int8, progress);
}

void check_layers(const model::Network& network, const FullOptions& options) {
    std::vector<std::string> convolutions;
    for (const auto& layer : network.convolutions()) convolutions.push_back(layer.name);
    check_names("--no-winograd", options.no_winograd, convolutions);
    std::vector<std::string> all = convolutions;
    for (const auto& layer : network.dense_layers()) all.push_back(layer.name);
    check_names("--keep-fp32", options.keep_fp32, all);
    check_names("--weight-bits", options.weight_bits.names(), all);
    check_weight_bits(network, options);
}

bool FullOptions::allows_winograd(const std::string& layer) const {
    return !all_direct && !is_among(layer, no_winograd);
}

std::vector<model::Tensor> QuantizedDense::tensors(const model::ModelFile& model) const {
    std::vector<model::Tensor> result;
    if (const auto* int8 = std::get_if<QuantizedWeights>(&weights)) {
        const auto order =
            int8->input_major ? model::DenseOrder::input_major : model::DenseOrder::output_major;
        int8->append_tensors(layer.name, model::dense_weight(layer, order), result);
    } else {
        std::get<Int4Weights>(weights).append_tensors(layer, result);
    }
    const std::string bias_name = model::bias_name(layer.name);
    if (bias.empty()) {
        result.push_back(model.tensor(bias_name));
    } else {
        result.push_back({bias_name, model::DType::f32, {bias.size()}, std::as_bytes(std::span(bias))});
    }
    return result;
}

FullQuantization quantize_all(const model::ModelFile& model,
                              const std::vector<ConvolutionStatistics>& statistics,
                              const FullOptions& options, const LayerProgress& progress) {
    require_fp32(model);
    check_layers(model.network(), options);
    const auto& convolutions = model.network().convolutions();
    const auto& dense_layers = model.network().dense_layers();
    const std::size_t total = convolutions.size() + dense_layers.size();
    std::size_t done = 1;
    FullQuantization result;
    for (std::size_t i = 1; i < convolutions.size(); ++i) {
        const model::ConvolutionLayer& layer = convolutions[i];
        if (!is_among(layer.name, options.keep_fp32)) {
            QuantizedConvolution& quantized = result.convolutions.emplace_back(quantize_convolution(
                layer, model, statistics[i - 1], options.convolutions, options.weight_bits.of(layer.name)));
            if (!options.allows_winograd(layer.name)) quantized.winograd = {};
        }
        if (progress) progress(++done, total);
    }
    for (const auto& layer : dense_layers) {
        if (!is_among(layer.name, options.keep_fp32)) {
            result.dense_layers.push_back(
                quantize_layer(layer, model, options.dense, options.weight_bits.of(layer.name)));
        }
        if (progress) progress(++done, total);
    }
    return result;
}

void write_full(const model::ModelFile& model, const FullQuantization& quantization, const std::string& step,
                const model::Destination& output, const model::Progress& progress) {
    write(model, quantization, {"int8-full", step}, output, progress);
}

}  // namespace vgg19::converter
