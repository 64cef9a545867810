#include "converter/import/onnx/onnx_file.h"

#include <algorithm>
#include <utility>

#include "converter/import/byte_reader.h"
#include "engine/model/file_kind.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

/// Reads the messages whose parts stay in the file; all others are protobuf's.
class Reader {
  public:
    explicit Reader(const model::MappedFile& file) : file_(file, "ONNX") {}
    OnnxGraph read();

  private:
    void read_graph(std::span<const std::byte> message);
    OnnxNode read_node(std::span<const std::byte> message);
    void read_attribute(const ProtobufField& field, OnnxNode& node);
    OnnxTensor read_tensor(std::span<const std::byte> message);

    ProtobufFile file_;
    OnnxGraph graph_;
};

OnnxTensor Reader::read_tensor(std::span<const std::byte> message) {
    using onnx::TensorProto;
    OnnxTensor tensor;
    for (const ProtobufField& field : file_.fields(message)) {
        const bool is_text_only = field.number == TensorProto::kDocStringFieldNumber;
        const bool stays = field.number == TensorProto::kRawDataFieldNumber ||
                           field.number == TensorProto::kFloatDataFieldNumber ||
                           field.number == TensorProto::kDoubleDataFieldNumber;
        if (is_text_only) continue;
        if (stays && field.is_text && tensor.elements_field == 0) {
            tensor.elements = field.content;
            tensor.elements_field = field.content.empty() ? 0 : field.number;
            continue;
        }
        const bool is_numbers = stays || field.number == TensorProto::kInt32DataFieldNumber ||
                                field.number == TensorProto::kInt64DataFieldNumber;
        file_.merge(field, tensor.info, is_numbers);
    }
    return tensor;
}

void Reader::read_attribute(const ProtobufField& field, OnnxNode& node) {
    using onnx::AttributeProto;
    AttributeProto& attribute = *node.info.add_attribute();
    std::optional<OnnxTensor> tensor;
    for (const ProtobufField& part : file_.fields(field.content)) {
        if (part.number == AttributeProto::kTFieldNumber && part.is_text) {
            tensor = read_tensor(part.content);
        } else {
            file_.merge(part, attribute);
        }
    }
    if (tensor) node.tensors.insert_or_assign(attribute.name(), *std::move(tensor));
}

OnnxNode Reader::read_node(std::span<const std::byte> message) {
    using onnx::NodeProto;
    OnnxNode node;
    for (const ProtobufField& field : file_.fields(message)) {
        if (field.number == NodeProto::kAttributeFieldNumber && field.is_text) {
            read_attribute(field, node);
        } else if (field.number <= NodeProto::kDomainFieldNumber &&
                   field.number != NodeProto::kDocStringFieldNumber) {
            file_.merge(field, node.info);
        }
    }
    return node;
}

void Reader::read_graph(std::span<const std::byte> message) {
    using onnx::GraphProto;
    for (const ProtobufField& field : file_.fields(message)) {
        if (field.number == GraphProto::kNodeFieldNumber) {
            graph_.nodes.push_back(read_node(field.content));
        } else if (field.number == GraphProto::kInitializerFieldNumber) {
            OnnxTensor tensor = read_tensor(field.content);
            std::string name = tensor.info.name();
            graph_.initializers.insert_or_assign(std::move(name), std::move(tensor));
        } else if (field.number == GraphProto::kInputFieldNumber ||
                   field.number == GraphProto::kOutputFieldNumber) {
            GraphProto part;
            file_.merge(field, part);
            for (const auto& output : part.output()) graph_.outputs.push_back(output.name());
            graph_.inputs.insert(graph_.inputs.end(), part.input().begin(), part.input().end());
        }
    }
}

OnnxGraph Reader::read() {
    using onnx::ModelProto;
    for (const ProtobufField& field : file_.fields(file_.bytes())) {
        if (field.number == ModelProto::kGraphFieldNumber && field.is_text) {
            read_graph(field.content);
        } else if (field.number == ModelProto::kMetadataPropsFieldNumber ||
                   field.number == ModelProto::kOpsetImportFieldNumber ||
                   field.number == ModelProto::kProducerNameFieldNumber) {
            ModelProto part;
            file_.merge(field, part);
            if (part.has_producer_name()) graph_.producer = part.producer_name();
            for (const auto& set : part.opset_import()) {
                graph_.operator_sets.insert_or_assign(is_onnxs_own(set.domain()) ? "" : set.domain(),
                                                      set.version());
            }
            for (const auto& entry : part.metadata_props()) {
                graph_.metadata.emplace_back(entry.key(), entry.value());
            }
        }
    }
    return std::move(graph_);
}

}  // namespace

bool is_onnxs_own(const std::string& domain) {
    return domain.empty() || domain == "ai.onnx";
}

std::string OnnxNode::text() const {
    const bool is_named = !info.name().empty() || info.output().empty();
    return printable(is_named ? info.name() : info.output(0)) + " (" + printable(info.op_type()) + ')';
}

const onnx::AttributeProto* OnnxNode::find(const std::string& attribute) const {
    const auto found = std::find_if(info.attribute().begin(), info.attribute().end(),
                                    [&](const auto& other) { return other.name() == attribute; });
    return found == info.attribute().end() ? nullptr : &*found;
}

std::int64_t OnnxNode::integer(const std::string& attribute, std::int64_t otherwise) const {
    const auto* found = find(attribute);
    return found == nullptr ? otherwise : found->i();
}

double OnnxNode::number(const std::string& attribute, double otherwise) const {
    const auto* found = find(attribute);
    return found == nullptr ? otherwise : static_cast<double>(found->f());
}

std::string OnnxNode::word(const std::string& attribute, const std::string& otherwise) const {
    const auto* found = find(attribute);
    return found == nullptr ? otherwise : found->s();
}

std::vector<std::int64_t> OnnxNode::integers(const std::string& attribute) const {
    const auto* found = find(attribute);
    if (found == nullptr) return {};
    return {found->ints().begin(), found->ints().end()};
}

bool is_onnx_file(const model::MappedFile& file) {
    return model::kind_of_file(file.bytes()) == model::FileKind::onnx;
}

OnnxGraph read_onnx_graph(const model::MappedFile& file) {
    return Reader(file).read();
}

}  // namespace vgg19::converter
