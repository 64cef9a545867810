// An ONNX graph while it is built.
#pragma once

#include <google/protobuf/arena.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "converter/onnx/onnx.pb.h"
#include "engine/model/safetensors.h"

namespace vgg19::converter {

/// Nodes, in the order in which they run, and their constants, whose values are made when the file is
/// written. A node has one output, whose name is the node's too.
class OnnxGraph {
  public:
    using Inputs = std::vector<std::string>;

    /// Both return the output's name, or the tensor's.
    std::string add(const std::string& type, Inputs inputs, const std::string& output);
    std::string add_constant(model::TensorStream tensor);
    bool has_constant(const std::string& name) const;

    /// Constants that the graph keeps: one number without a shape, or a tensor of this shape.
    std::string add_number(const std::string& name, float value);
    std::string add_number(const std::string& name, std::uint8_t value);
    std::string add_values(const std::string& name, std::vector<std::size_t> shape,
                           std::vector<float> values);
    std::string add_values(const std::string& name, std::vector<std::size_t> shape,
                           std::vector<std::int32_t> values);
    std::string add_values(const std::string& name, std::vector<std::size_t> shape,
                           std::vector<std::int8_t> values);

    /// Attributes of the last node.
    void set(const std::string& attribute, std::int64_t value);
    void set_list(const std::string& attribute, const std::vector<std::int64_t>& values);

    /// All but the constants.
    onnx::GraphProto& nodes() { return *nodes_; }
    const onnx::GraphProto& nodes() const { return *nodes_; }
    const std::vector<model::TensorStream>& constants() const { return constants_; }

  private:
    onnx::AttributeProto& attribute(const std::string& name);

    /// Where memory is short, protobuf leaves lists behind that cannot be destroyed, but freed with the
    /// arena.
    std::unique_ptr<google::protobuf::Arena> arena_ = std::make_unique<google::protobuf::Arena>();
    onnx::GraphProto* nodes_ = google::protobuf::Arena::CreateMessage<onnx::GraphProto>(arena_.get());
    std::vector<model::TensorStream> constants_;
};

}  // namespace vgg19::converter
