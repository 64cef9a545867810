#include "converter/export/onnx/network.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "converter/export/onnx/layers.h"
#include "converter/export/plain_weights.h"
#include "engine/model/map_size.h"
#include "engine/model/output_names.h"
#include "engine/program/weights.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

using model::NetworkOutput;
using model::OutputKind;

/// Builds the graph, layer by layer. Values have torchvision's names, or those under which they are asked
/// for.
class Builder {
  public:
    Builder(const model::ModelFile& model, const OnnxOptions& options);
    OnnxGraph build();

  private:
    struct Asked {
        std::string name;
        NetworkOutput value;
    };

    bool is_needed(OutputKind kind, std::size_t layer) const {
        return model::is_computed_by({kind, layer, {}}, last_);
    }
    void require_known_factors(const Asked& asked) const;
    bool is_asked_for(OutputKind kind, std::size_t layer) const;
    bool is_int8(std::string_view layer) const { return !options_.plain && model_.is_int8(layer); }
    /// The name that the value's node gets.
    std::string name_of(OutputKind kind, std::size_t layer) const;
    /// Gives the value under every name that is asked for.
    void give(OutputKind kind, std::size_t layer, const std::string& value);
    std::span<const float> factors_of(OutputKind kind, std::size_t layer) const;

    void add_convolutions();
    std::string convolution(std::size_t index);
    void add_behind_convolution(std::size_t index, const std::string& value);
    void add_average_pool();
    void add_dense_layers();
    void add_input();
    void add_outputs();

    const model::ModelFile& model_;
    const model::Network& network_;
    const OnnxOptions& options_;
    std::vector<NetworkOutput> known_;
    std::vector<Asked> asked_;
    NetworkOutput last_;
    OnnxGraph graph_;
    std::string value_ = "input";  ///< the last layer's output
    /// It, between QuantizeLinear and DequantizeLinear; empty if the next layer is FP32.
    std::string rounded_;
};

Builder::Builder(const model::ModelFile& model, const OnnxOptions& options)
    : model_(model), network_(model.network()), options_(options), known_(model::network_outputs(network_)) {
    for (const std::string& name : options.outputs) {
        if (!network_.has_classifier() && model::belongs_to_classifier(name)) model.require_classifier();
        const auto is_same = [&](const Asked& asked) { return asked.name == name; };
        if (std::any_of(asked_.begin(), asked_.end(), is_same)) continue;
        asked_.push_back({name, model::network_output(network_, name)});
        require_known_factors(asked_.back());
    }
    last_ = std::max_element(asked_.begin(), asked_.end(), [](const Asked& a, const Asked& b) {
                return !model::is_computed_by(b.value, a.value);
            })->value;
    const std::size_t smallest = model::smallest_input_of(network_, last_);
    if (!model::is_input_size(options.input_size, smallest)) {
        throw Error(ErrorKind::usage, "input size: expected " + model::expected_input_size(smallest) +
                                          ", found " + to_string(options.input_size));
    }
}

/// Maps whose channels were scaled by unknown factors are not the trained network's.
void Builder::require_known_factors(const Asked& asked) const {
    const bool is_between =
        model::is_map(asked.value.kind) && asked.value.layer + 1 < network_.convolutions().size();
    if (!is_between || !model_.lacks_output_factors()) return;
    throw Error(ErrorKind::usage,
                "output \"" + asked.name + "\": " + model_.path().string() +
                    " was quantised by an earlier version, which scaled this map's channels and did not keep "
                    "by how much; quantize the model again");
}

bool Builder::is_asked_for(OutputKind kind, std::size_t layer) const {
    return std::any_of(asked_.begin(), asked_.end(), [&](const Asked& asked) {
        return asked.value.kind == kind && asked.value.layer == layer;
    });
}

/// Channels of models in INT8 were scaled, which the layers make up for; not so who reads a map.
std::span<const float> Builder::factors_of(OutputKind kind, std::size_t layer) const {
    if (options_.plain || !model::is_map(kind)) return {};
    return model_.output_factors(network_.convolutions()[layer].name);
}

std::string Builder::name_of(OutputKind kind, std::size_t layer) const {
    const auto is_this = [&](const NetworkOutput& value) {
        return value.kind == kind && value.layer == layer;
    };
    const std::string usual = std::find_if(known_.begin(), known_.end(), is_this)->names.front();
    for (const Asked& asked : asked_) {
        if (is_this(asked.value)) return factors_of(kind, layer).empty() ? asked.name : usual + ".as_stored";
    }
    return usual;
}

void Builder::give(OutputKind kind, std::size_t layer, const std::string& value) {
    for (const Asked& asked : asked_) {
        if (asked.value.kind != kind || asked.value.layer != layer || asked.name == value) continue;
        const std::span<const float> factors = factors_of(kind, layer);
        if (factors.empty()) {
            graph_.add("Identity", {value}, asked.name);
            continue;
        }
        const std::string name = graph_.add_values(asked.name + ".factors", {1, factors.size(), 1, 1},
                                                   std::vector<float>(factors.begin(), factors.end()));
        graph_.add("Mul", {value, name}, asked.name);
    }
}

OnnxGraph Builder::build() {
    add_convolutions();
    if (is_needed(OutputKind::average_pool, 0) && network_.has_classifier()) add_average_pool();
    add_dense_layers();
    if (last_.kind == OutputKind::probabilities) {
        graph_.add("Softmax", {value_}, name_of(last_.kind, last_.layer));
        graph_.set("axis", 1);
        give(last_.kind, last_.layer, name_of(last_.kind, last_.layer));
    }
    add_input();
    add_outputs();
    return std::move(graph_);
}

void Builder::add_convolutions() {
    for (std::size_t i = 0; i < network_.convolutions().size(); ++i) {
        if (!is_needed(OutputKind::convolution, i)) return;
        const std::string value = convolution(i);
        give(OutputKind::convolution, i, value);
        value_ = value;
        if (is_needed(OutputKind::relu, i)) add_behind_convolution(i, value);
    }
}

std::string Builder::convolution(std::size_t index) {
    const model::ConvolutionLayer& layer = network_.convolutions()[index];
    const std::string output = name_of(OutputKind::convolution, index);
    if (is_int8(layer.name)) {
        const std::string weight = add_int8_weight(graph_, model_, layer);
        const std::string bias = add_int8_bias(graph_, model_, layer, input_scale(model_, layer));
        return add_convolution(graph_, rounded_, weight, bias, output);
    }
    // Of a model in INT8 the stored weights make up for the factors of the layer before.
    const bool plain = options_.plain;
    const std::string weight =
        graph_.add_constant(plain ? plain_weight(model_, layer)
                                  : model::stream_of(model_.tensor(model::weight_name(layer.name))));
    const std::string bias = graph_.add_constant(
        plain ? plain_bias(model_, layer) : model::stream_of(model_.tensor(model::bias_name(layer.name))));
    return add_convolution(graph_, value_, weight, bias, output);
}

void Builder::add_behind_convolution(std::size_t index, const std::string& value) {
    const auto& layers = network_.convolutions();
    const Pooling pooling = model_.description().pooling;
    value_ = graph_.add("Relu", {value}, name_of(OutputKind::relu, index));
    give(OutputKind::relu, index, value_);
    const bool has_next = index + 1 < layers.size() && is_needed(OutputKind::convolution, index + 1);
    const bool int8_follows = has_next && is_int8(layers[index + 1].name);
    const auto quantize = [&](const std::string& input) {
        const model::ConvolutionLayer& next = layers[index + 1];
        return add_quantization(graph_, input, input_scale(model_, next), model::input_scale_name(next.name));
    };
    rounded_.clear();
    if (layers[index].pool_follows && is_needed(OutputKind::pool, index)) {
        // Rounding keeps the order of numbers, so that the largest of four may be found among 8-bit ones.
        const bool pools_rounded =
            int8_follows && pooling == Pooling::max && !is_asked_for(OutputKind::pool, index);
        const std::string before = pools_rounded ? quantize(value_) : value_;
        value_ = add_pool(graph_, pooling, before, name_of(OutputKind::pool, index));
        give(OutputKind::pool, index, value_);
    }
    if (int8_follows) rounded_ = quantize(value_);
}

void Builder::add_average_pool() {
    const MapSize size = network_.map_size(network_.convolutions().back(), options_.input_size).halved();
    const std::string name = name_of(OutputKind::average_pool, 0);
    const std::size_t side = network_.pooled_side();
    if (size != MapSize(side)) {
        value_ = add_adaptive_average_pool(graph_, value_, size, side, name);
    } else if (is_asked_for(OutputKind::average_pool, 0)) {
        value_ = graph_.add("Identity", {value_}, name);
    }
    give(OutputKind::average_pool, 0, name);
}

void Builder::add_dense_layers() {
    for (std::size_t i = 0; i < network_.dense_layers().size(); ++i) {
        if (!is_needed(OutputKind::dense, i)) return;
        if (i == 0) {
            value_ = graph_.add("Flatten", {value_}, "flatten");
            graph_.set("axis", 1);
        }
        const model::DenseLayer& layer = network_.dense_layers()[i];
        const std::string output = name_of(OutputKind::dense, i);
        if (is_int8(layer.name)) {
            value_ = add_int8_dense(graph_, model_, layer, value_, output);
        } else {
            const std::string weight = graph_.add_constant(plain_weight(model_, layer));
            value_ =
                add_dense(graph_, value_, weight, graph_.add_constant(plain_bias(model_, layer)), output);
        }
        give(OutputKind::dense, i, value_);
        if (!layer.relu_follows || !is_needed(OutputKind::dense_relu, i)) continue;
        value_ = graph_.add("Relu", {value_}, name_of(OutputKind::dense_relu, i));
        give(OutputKind::dense_relu, i, value_);
    }
}

/// A value of floats with these sizes; 0 stands for "batch".
void set_type(onnx::ValueInfoProto& value, const std::string& name,
              std::initializer_list<std::size_t> sizes) {
    value.set_name(name);
    onnx::TypeProto::Tensor& tensor = *value.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(onnx::TensorProto::FLOAT);
    for (const std::size_t size : sizes) {
        onnx::TensorShapeProto::Dimension& dimension = *tensor.mutable_shape()->add_dim();
        if (size == 0) {
            dimension.set_dim_param("batch");
        } else {
            dimension.set_dim_value(static_cast<std::int64_t>(size));
        }
    }
}

void Builder::add_input() {
    const MapSize size = options_.input_size;
    set_type(*graph_.nodes().add_input(), "input",
             {options_.batch, model::image_channels, size.height, size.width});
}

void Builder::add_outputs() {
    for (const Asked& asked : asked_) {
        onnx::ValueInfoProto& output = *graph_.nodes().add_output();
        const model::OutputShape shape = model::output_shape(network_, asked.value, options_.input_size);
        if (model::is_map(asked.value.kind) || asked.value.kind == OutputKind::average_pool) {
            set_type(output, asked.name,
                     {options_.batch, shape.channels, shape.size.height, shape.size.width});
        } else {
            set_type(output, asked.name, {options_.batch, shape.channels});
        }
    }
}

}  // namespace

OnnxGraph onnx_graph(const model::ModelFile& model, const OnnxOptions& options) {
    return Builder(model, options).build();
}

}  // namespace vgg19::converter
