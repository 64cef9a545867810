#include "converter/import/onnx/onnx_layers.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "converter/import/byte_reader.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

using namespace std::string_view_literals;
using Integers = std::vector<std::int64_t>;

template <std::size_t Count>
bool is_one_of(const std::string& word, const std::array<std::string_view, Count>& words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// Change no value at inference, or only its shape. Dropout's further outputs are not used then.
constexpr std::array passing = {"Identity"sv, "Dropout"sv, "Cast"sv};
constexpr std::array flattening = {"Flatten"sv, "Reshape"sv, "Squeeze"sv};
constexpr std::array ending = {"Softmax"sv, "LogSoftmax"sv, "Sigmoid"sv};
/// Compute shapes from shapes.
constexpr std::array of_shapes = {"Shape"sv,   "Gather"sv, "Unsqueeze"sv, "Concat"sv,   "Slice"sv,
                                  "Cast"sv,    "Mul"sv,    "Squeeze"sv,   "Constant"sv, "ConstantOfShape"sv,
                                  "Reshape"sv, "Size"sv,   "ReduceProd"sv};

std::string list_text(const Integers& values) {
    std::string text;
    for (const std::int64_t value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
    return values.size() == 1 ? text : '(' + text + ')';
}

}  // namespace

void OnnxLayers::fail(const OnnxNode& node, const std::string& problem) const {
    throw Error(ErrorKind::bad_input, name_ + ": " + node.text() + ": " + problem);
}

const onnx::ValueInfoProto& OnnxLayers::input() const {
    const onnx::ValueInfoProto* found = nullptr;
    for (const onnx::ValueInfoProto& value : graph_.inputs) {
        if (graph_.initializers.contains(value.name())) continue;  // old files list these as well
        if (found != nullptr) {
            throw Error(ErrorKind::bad_input, name_ + ": expected a graph with one input, found " +
                                                  printable(found->name()) + " and " +
                                                  printable(value.name()));
        }
        found = &value;
    }
    if (found != nullptr) return *found;
    throw Error(ErrorKind::bad_input, name_ + ": expected a graph with one input, found none");
}

MapSize OnnxLayers::input_size() const {
    constexpr std::int64_t largest = 65536;
    const auto& shape = input().type().tensor_type().shape();
    if (shape.dim_size() != 4) return {};
    const std::int64_t height = shape.dim(2).dim_value();
    const std::int64_t width = shape.dim(3).dim_value();
    if (height <= 0 || width <= 0 || height > largest || width > largest) return {};
    return {static_cast<std::size_t>(height), static_cast<std::size_t>(width)};
}

const OnnxTensor* OnnxLayers::constant(const std::string& value) const {
    if (const auto found = constants_.find(value); found != constants_.end()) return found->second;
    const auto found = graph_.initializers.find(value);
    return found == graph_.initializers.end() ? nullptr : &found->second;
}

bool OnnxLayers::is_known(const std::string& value) const {
    return value.empty() || shapes_.contains(value) || constant(value) != nullptr;
}

ChainLayer& OnnxLayers::append(LayerKind kind, const OnnxNode& node) {
    const bool is_named = !node.info.name().empty() || node.info.output().empty();
    return layers_.emplace_back(ChainLayer{.kind = kind,
                                           .name = is_named ? node.info.name() : node.info.output(0),
                                           .type = node.info.op_type()});
}

StoredTensor OnnxLayers::weights(const OnnxNode& node, int place) {
    if (place >= node.info.input_size()) fail(node, "expected weights, found none");
    const std::string& value = node.info.input(place);
    const OnnxTensor* const found = constant(value);
    if (found == nullptr) {
        fail(node,
             "expected weights that are in the file, found " + printable(value) + ", which is computed");
    }
    StoredTensor tensor = tensors_.weights(*found, value);
    if (transposed_.contains(value)) {
        std::swap(tensor.shape[0], tensor.shape[1]);
        std::swap(tensor.strides[0], tensor.strides[1]);
    }
    return tensor;
}

StoredTensor OnnxLayers::vector(const OnnxNode& node, int place) {
    StoredTensor tensor = weights(node, place);
    const std::size_t elements = tensor.elements();
    const bool is_vector = std::count(tensor.shape.begin(), tensor.shape.end(), std::size_t{1}) + 1 >=
                           static_cast<std::ptrdiff_t>(tensor.shape.size());
    if (!is_vector || !tensor.contiguous()) {
        fail(node, "expected one number for each output in " + printable(tensor.name) + ", found the shape " +
                       shape_text(tensor.shape));
    }
    tensor.shape = {elements};
    tensor.strides = {1};
    return tensor;
}

void OnnxLayers::require(const OnnxNode& node, const std::string& attribute, const Integers& expected) {
    const Integers found = node.integers(attribute);
    if (found.empty() || found == expected) return;
    fail(node, attribute + ": expected " + list_text(expected) + ", found " + list_text(found));
}

void OnnxLayers::require_one(const OnnxNode& node, const std::string& attribute, double otherwise) const {
    const double found = node.number(attribute, otherwise);
    if (found != 1) fail(node, attribute + ": expected 1, found " + std::to_string(found));
}

/// What operators compute may change in versions that nobody knows yet.
void OnnxLayers::check_operators() const {
    constexpr std::int64_t newest = 28;
    const auto own = graph_.operator_sets.find("");
    if (own != graph_.operator_sets.end() && (own->second < 1 || own->second > newest)) {
        throw Error(ErrorKind::bad_input, name_ + ": expected ONNX's operators (opset) of version 1 to " +
                                              std::to_string(newest) + ", found " +
                                              std::to_string(own->second));
    }
    for (const OnnxNode& node : graph_.nodes) {
        if (is_onnxs_own(node.info.domain())) continue;
        fail(node, "expected one of ONNX's own operators, found one of the domain " +
                       printable(node.info.domain()));
    }
}

/// auto_pad and pads must not say different things.
void OnnxLayers::check_padding(const OnnxNode& node) const {
    constexpr std::array known = {"NOTSET"sv, "SAME_UPPER"sv, "SAME_LOWER"sv, "VALID"sv};
    const std::string word = node.word("auto_pad", "NOTSET");
    if (!is_one_of(word, known)) {
        fail(node, "auto_pad: expected NOTSET, SAME_UPPER, SAME_LOWER or VALID, found " + printable(word));
    }
    const Integers pads = node.integers("pads");
    if (word == "NOTSET" || pads.empty()) return;
    fail(node,
         "expected either auto_pad or pads, found both, auto_pad " + word + " and pads " + list_text(pads));
}

void OnnxLayers::add_convolution(const OnnxNode& node) {
    check_padding(node);
    StoredTensor weight = weights(node, 1);
    if (weight.shape.size() != 4) {
        fail(node, "expected weights of four dimensions, found " + shape_text(weight.shape));
    }
    require(node, "kernel_shape",
            {static_cast<std::int64_t>(weight.shape[2]), static_cast<std::int64_t>(weight.shape[3])});
    require(node, "strides", {1, 1});
    require(node, "dilations", {1, 1});
    if (node.integer("group", 1) != 1) {
        fail(node, "expected 1 group, found " + std::to_string(node.integer("group", 1)));
    }
    const std::string padding = node.word("auto_pad", "NOTSET");
    const Integers pads = node.integers("pads");
    const bool is_3x3 = weight.shape[2] == 3 && weight.shape[3] == 3;
    const bool is_same = padding.starts_with("SAME") || pads == Integers{1, 1, 1, 1};
    const bool is_unpadded = !padding.starts_with("SAME") && (pads.empty() || pads == Integers{0, 0, 0, 0});
    const bool is_first = layers_.empty();
    if (!(is_3x3 && is_same) && (!is_unpadded || is_first)) {
        fail(node, "expected 3×3 filters with padding 1, found " + shape_text(weight.shape) +
                       " with padding " + (is_unpadded ? "0" : list_text(pads)));
    }
    ChainLayer& layer = append(is_3x3 && is_same ? LayerKind::convolution : LayerKind::dense, node);
    layer.parameters.emplace("weight", std::move(weight));
    if (node.info.input_size() > 2 && !node.info.input(2).empty()) {
        layer.parameters.emplace("bias", vector(node, 2));
    }
}

void OnnxLayers::add_batch_norm(const OnnxNode& node) {
    constexpr double usual_epsilon = 1e-5;
    if (node.integer("training_mode", 0) != 0) fail(node, "training_mode: expected 0, found another");
    if (node.integer("spatial", 1) != 1) fail(node, "spatial: expected 1, found another");
    ChainLayer& layer = append(LayerKind::batch_norm, node);
    layer.epsilon = node.number("epsilon", usual_epsilon);
    int place = 0;
    for (const char* const name : {"weight", "bias", "running_mean", "running_var"}) {
        layer.parameters.emplace(name, vector(node, ++place));
    }
}

void OnnxLayers::add_pool(const OnnxNode& node, LayerKind kind) {
    const Integers kernel = node.integers("kernel_shape");
    const bool is_square = kernel.size() == 2 && kernel[0] == kernel[1] && kernel[0] > 0;
    if (!is_square || (kind == LayerKind::max_pool && kernel[0] != 2)) {
        fail(node, "kernel_shape: expected (2, 2), found " + list_text(kernel));
    }
    // ONNX's default of a stride is 1.
    const Integers strides = node.integers("strides");
    if (kernel[0] != 1 && strides != kernel) {
        fail(node, "strides: expected " + list_text(kernel) + ", found " + list_text(strides));
    }
    check_padding(node);
    require(node, "pads", {0, 0, 0, 0});
    require(node, "dilations", {1, 1});
    if (kernel[0] == 1) {
        return;
    }  // of a single pixel, as torchvision's average before the dense layers becomes
    ChainLayer& layer = append(kind, node);
    layer.side = static_cast<std::size_t>(kernel[0]);
    layer.rounds_up = node.integer("ceil_mode", 0) != 0 || node.word("auto_pad", "").starts_with("SAME");
}

void OnnxLayers::add_mean(const OnnxNode& node) {
    Integers axes = node.integers("axes");
    if (axes.empty() && node.info.input_size() > 1) {
        const std::string& value = node.info.input(1);
        if (const auto list = lists_.find(value); list != lists_.end()) axes = list->second;
        if (const OnnxTensor* const found = constant(value)) axes = tensors_.integers(*found, value);
    }
    for (std::int64_t& axis : axes) axis += axis < 0 ? 4 : 0;
    std::sort(axes.begin(), axes.end());
    if (axes != Integers{2, 3}) fail(node, "axes: expected (2, 3), found " + list_text(axes));
    append(LayerKind::average_pool, node);
    if (node.integer("keepdims", 1) == 0) append(LayerKind::flatten, node);
}

void OnnxLayers::add_gemm(const OnnxNode& node) {
    require_one(node, "alpha", 1);
    require_one(node, "beta", 1);
    if (node.integer("transA", 0) != 0) fail(node, "transA: expected 0, found another");
    StoredTensor weight = weights(node, 1);
    if (weight.shape.size() != 2) {
        fail(node, "expected a matrix of weights, found " + shape_text(weight.shape));
    }
    if (node.integer("transB", 0) == 0) {  // ours are (outputs, inputs)
        std::swap(weight.shape[0], weight.shape[1]);
        std::swap(weight.strides[0], weight.strides[1]);
    }
    ChainLayer& layer = append(LayerKind::dense, node);
    layer.parameters.emplace("weight", std::move(weight));
    if (node.info.input_size() > 2 && !node.info.input(2).empty()) {
        layer.parameters.emplace("bias", vector(node, 2));
    }
}

void OnnxLayers::add_product(const OnnxNode& node) {
    StoredTensor weight = weights(node, 1);
    if (weight.shape.size() != 2) {
        fail(node, "expected a matrix of weights, found " + shape_text(weight.shape));
    }
    std::swap(weight.shape[0], weight.shape[1]);
    std::swap(weight.strides[0], weight.strides[1]);
    append(LayerKind::dense, node).parameters.emplace("weight", std::move(weight));
}

void OnnxLayers::add_sum(const OnnxNode& node) {
    const bool may_be_bias =
        !layers_.empty() && !layers_.back().parameters.contains("bias") &&
        (layers_.back().kind == LayerKind::dense || layers_.back().kind == LayerKind::convolution);
    if (!may_be_bias || node.info.input_size() != 2) {
        fail(node, "expected the layers of a VGG, found a sum that is no bias");
    }
    StoredTensor bias = vector(node, node.info.input(0) == current_ ? 1 : 0);
    const std::size_t outputs = layers_.back().parameters.at("weight").shape[0];
    if (bias.shape[0] != outputs) {
        fail(node,
             "expected a bias of " + std::to_string(outputs) + " numbers, found " + shape_text(bias.shape));
    }
    layers_.back().parameters.emplace("bias", std::move(bias));
}

void OnnxLayers::add(const OnnxNode& node) {
    const std::string& type = node.info.op_type();
    if (type == "Conv") {
        add_convolution(node);
    } else if (type == "BatchNormalization") {
        add_batch_norm(node);
    } else if (type == "Relu") {
        append(LayerKind::relu, node);
    } else if (type == "MaxPool") {
        add_pool(node, LayerKind::max_pool);
    } else if (type == "AveragePool") {
        add_pool(node, LayerKind::average_pool);
    } else if (type == "GlobalAveragePool") {
        append(LayerKind::average_pool, node);
    } else if (type == "ReduceMean") {
        add_mean(node);
    } else if (type == "Gemm") {
        add_gemm(node);
    } else if (type == "MatMul") {
        add_product(node);
    } else if (type == "Add") {
        add_sum(node);
    } else if (is_one_of(type, flattening)) {
        append(LayerKind::flatten, node);
    } else if (is_one_of(type, ending)) {
        append(LayerKind::other_at_end, node);
    } else if (type.find("uantize") != std::string::npos) {
        fail(
            node,
            "expected weights in floating point, found a quantised model; convert the file it was made from");
    } else if (!is_one_of(type, passing)) {
        fail(node,
             "expected the layers of a VGG (Conv, BatchNormalization, Relu, MaxPool, AveragePool, Gemm, …), "
             "found another");
    }
    current_ = node.info.output(0);
}

void OnnxLayers::add_side(const OnnxNode& node) {
    const std::string& type = node.info.op_type();
    const std::string& output = node.info.output(0);
    if (type == "Constant") {
        const auto value = node.tensors.find("value");
        if (value == node.tensors.end()) {
            shapes_.insert(output);
            lists_.insert_or_assign(output, node.integers("value_ints"));
        } else {
            constants_.insert_or_assign(output, &value->second);
        }
        return;
    }
    const bool has_input = node.info.input_size() > 0;
    const OnnxTensor* const source = has_input ? constant(node.info.input(0)) : nullptr;
    const bool is_weight = source != nullptr && source->info.data_type() != onnx::TensorProto::INT64;
    const bool is_same = type == "Identity" || (type == "Reshape" && !is_weight);
    if ((is_same && source != nullptr) || (type == "Cast" && is_weight)) {  // read as floats anyway
        constants_.insert_or_assign(output, source);
        if (transposed_.contains(node.info.input(0))) transposed_.insert(output);
    } else if (type == "Transpose" && source != nullptr && source->info.dims_size() == 2) {
        require(node, "perm", {1, 0});
        constants_.insert_or_assign(output, source);
        if (!transposed_.contains(node.info.input(0))) transposed_.insert(output);
    } else if (is_one_of(type, of_shapes)) {
        shapes_.insert(output);
    } else if (type.find("uantize") != std::string::npos) {
        fail(
            node,
            "expected weights in floating point, found a quantised model; convert the file it was made from");
    } else {
        fail(node, "expected the layers of a VGG one after the other, found a node beside them");
    }
}

std::vector<ChainLayer> OnnxLayers::read() {
    check_operators();
    current_ = input().name();
    for (const OnnxNode& node : graph_.nodes) {
        const auto& inputs = node.info.input();
        if (node.info.output().empty()) fail(node, "expected an output, found none");
        const bool reads_current = std::find(inputs.begin(), inputs.end(), current_) != inputs.end();
        const bool is_measured = node.info.op_type() == "Shape" || node.info.op_type() == "Size";
        if (reads_current && !is_measured) {
            if (inputs[0] != current_ && node.info.op_type() != "Add") {
                fail(node, "expected the layers of a VGG, found a product with computed weights");
            }
            add(node);
            continue;
        }
        const bool reads_known = std::all_of(inputs.begin(), inputs.end(),
                                             [this](const std::string& value) { return is_known(value); });
        if (!reads_known && !is_measured) {
            fail(node, "expected the layers of a VGG one after the other, found a node that reads " +
                           printable(inputs.empty() ? "" : inputs[0]) + " beside the layer before it");
        }
        add_side(node);
    }
    const auto& outputs = graph_.outputs;
    if (std::find(outputs.begin(), outputs.end(), current_) == outputs.end()) {
        throw Error(ErrorKind::bad_input, name_ + ": expected the last layer's output, " +
                                              printable(current_) +
                                              ", among the graph's outputs, found it is not");
    }
    return std::move(layers_);
}

}  // namespace vgg19::converter
