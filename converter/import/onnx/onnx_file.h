// An ONNX file: its graph's nodes, and its tensors, whose elements stay in the file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "converter/import/formats/protobuf_fields.h"
#include "converter/import/stored_tensor.h"
#include "converter/onnx/onnx.pb.h"

namespace vgg19::converter {

struct OnnxTensor {
    onnx::TensorProto info;  ///< without what is in `elements`
    std::span<const std::byte> elements{};
    int elements_field =
        0;  ///< whose content `elements` are: raw_data's, float_data's or double_data's; or 0
};

struct OnnxNode {
    onnx::NodeProto info;
    std::map<std::string, OnnxTensor> tensors{};  ///< attributes that are tensors, by name

    /// "conv1 (Conv)", for messages: by its name or, without one, by its output's.
    std::string text() const;
    const onnx::AttributeProto* find(const std::string& attribute) const;
    std::int64_t integer(const std::string& attribute, std::int64_t otherwise) const;
    double number(const std::string& attribute, double otherwise) const;
    /// The text, or `otherwise`.
    std::string word(const std::string& attribute, const std::string& otherwise) const;
    /// Empty if there is none.
    std::vector<std::int64_t> integers(const std::string& attribute) const;
};

struct OnnxGraph {
    std::vector<OnnxNode> nodes;
    std::map<std::string, OnnxTensor> initializers;
    std::vector<onnx::ValueInfoProto> inputs;
    std::vector<std::string> outputs;
    std::vector<std::pair<std::string, std::string>> metadata;
    std::string producer;
    std::map<std::string, std::int64_t> operator_sets;  ///< versions, by domain; "" is ONNX's own
};

/// Whether a domain of operators is that of the format itself.
bool is_onnxs_own(const std::string& domain);
/// Whether it looks like one: a version, then other fields of a model, one of which is the graph.
bool is_onnx_file(const model::MappedFile& file);
/// Throws Error (bad_input), with the file in the message.
OnnxGraph read_onnx_graph(const model::MappedFile& file);

}  // namespace vgg19::converter
