#include "converter/export/onnx/graph.h"

#include <algorithm>
#include <span>
#include <utility>

namespace vgg19::converter {
namespace {

template <class Number>
model::TensorStream kept(const std::string& name, model::DType dtype, std::vector<std::size_t> shape,
                         std::vector<Number> values) {
    const auto write = [values = std::move(values)](const model::Sink& sink) {
        sink(std::as_bytes(std::span(values)));
    };
    return {name, dtype, std::move(shape), write};
}

}  // namespace

std::string OnnxGraph::add(const std::string& type, Inputs inputs, const std::string& output) {
    onnx::NodeProto& node = *nodes_->add_node();
    node.set_op_type(type);
    node.set_name(output);
    for (std::string& input : inputs) node.add_input(std::move(input));
    node.add_output(output);
    return output;
}

std::string OnnxGraph::add_constant(model::TensorStream tensor) {
    return constants_.emplace_back(std::move(tensor)).name;
}

bool OnnxGraph::has_constant(const std::string& name) const {
    return std::any_of(constants_.begin(), constants_.end(),
                       [&](const model::TensorStream& tensor) { return tensor.name == name; });
}

std::string OnnxGraph::add_number(const std::string& name, float value) {
    return add_values(name, {}, std::vector<float>{value});
}

std::string OnnxGraph::add_number(const std::string& name, std::uint8_t value) {
    return add_constant(kept(name, model::DType::u8, {}, std::vector<std::uint8_t>{value}));
}

std::string OnnxGraph::add_values(const std::string& name, std::vector<std::size_t> shape,
                                  std::vector<float> values) {
    return add_constant(kept(name, model::DType::f32, std::move(shape), std::move(values)));
}

std::string OnnxGraph::add_values(const std::string& name, std::vector<std::size_t> shape,
                                  std::vector<std::int32_t> values) {
    return add_constant(kept(name, model::DType::i32, std::move(shape), std::move(values)));
}

std::string OnnxGraph::add_values(const std::string& name, std::vector<std::size_t> shape,
                                  std::vector<std::int8_t> values) {
    return add_constant(kept(name, model::DType::i8, std::move(shape), std::move(values)));
}

onnx::AttributeProto& OnnxGraph::attribute(const std::string& name) {
    onnx::NodeProto& node = *nodes_->mutable_node(nodes_->node_size() - 1);
    onnx::AttributeProto& added = *node.add_attribute();
    added.set_name(name);
    return added;
}

void OnnxGraph::set(const std::string& name, std::int64_t value) {
    onnx::AttributeProto& added = attribute(name);
    added.set_type(onnx::AttributeProto::INT);
    added.set_i(value);
}

void OnnxGraph::set_list(const std::string& name, const std::vector<std::int64_t>& values) {
    onnx::AttributeProto& added = attribute(name);
    added.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) added.add_ints(value);
}

}  // namespace vgg19::converter
