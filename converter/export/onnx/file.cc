#include "converter/export/onnx/file.h"

#include <google/protobuf/arena.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/model/replacing_file.h"
#include "vgg19/error.h"

namespace vgg19::converter {
namespace {

/// What protobuf's libraries read at most.
constexpr std::uint64_t largest_message = 0x7fffffff;

onnx::TensorProto::DataType type_of(model::DType dtype) {
    switch (dtype) {
        case model::DType::i8:
            return onnx::TensorProto::INT8;
        case model::DType::u8:
            return onnx::TensorProto::UINT8;
        case model::DType::i32:
            return onnx::TensorProto::INT32;
        default:
            return onnx::TensorProto::FLOAT;
    }
}

/// What precedes a message or text of so many bytes.
std::string begin_field(int number, std::uint64_t bytes) {
    constexpr std::uint32_t length_delimited = 2;
    constexpr std::uint32_t type_bits = 3;
    std::string text;
    {
        google::protobuf::io::StringOutputStream stream(&text);
        google::protobuf::io::CodedOutputStream coded(&stream);
        coded.WriteTag(static_cast<std::uint32_t>(number) << type_bits | length_delimited);
        coded.WriteVarint64(bytes);
    }
    return text;
}

/// All of a constant's message except its values, which follow.
std::string begin_constant(const model::TensorStream& tensor) {
    google::protobuf::Arena arena;
    onnx::TensorProto& message = *google::protobuf::Arena::CreateMessage<onnx::TensorProto>(&arena);
    for (const std::size_t size : tensor.shape) message.add_dims(static_cast<std::int64_t>(size));
    message.set_data_type(type_of(tensor.dtype));
    message.set_name(tensor.name);
    const std::string head =
        message.SerializeAsString() + begin_field(onnx::TensorProto::kRawDataFieldNumber, tensor.bytes());
    return begin_field(onnx::GraphProto::kInitializerFieldNumber, head.size() + tensor.bytes()) + head;
}

}  // namespace

void write_onnx(const std::filesystem::path& output, const onnx::ModelProto& head, const OnnxGraph& graph,
                const model::MappedFile& source, const model::Progress& progress) {
    const std::string nodes = graph.nodes().SerializeAsString();
    std::vector<std::string> beginnings;
    std::uint64_t bytes = nodes.size();
    for (const model::TensorStream& tensor : graph.constants()) {
        bytes += beginnings.emplace_back(begin_constant(tensor)).size() + tensor.bytes();
    }
    const std::string beginning =
        head.SerializeAsString() + begin_field(onnx::ModelProto::kGraphFieldNumber, bytes);
    const std::uint64_t total = beginning.size() + bytes;
    if (total > largest_message) {
        throw Error(ErrorKind::usage, output.string() +
                                          ": expected at most 2 GB, which is all that an ONNX "
                                          "file holds, found a model of " +
                                          std::to_string(total) + " bytes");
    }
    model::reading(source, [&] {
        model::ReplacingFile file(output);
        std::uint64_t done = 0;
        const model::Sink write = [&](std::span<const std::byte> piece) {
            file.write(piece);
            done += piece.size();
            if (progress) progress(done, total);
        };
        write(std::as_bytes(std::span(beginning)));
        write(std::as_bytes(std::span(nodes)));
        for (std::size_t i = 0; i < beginnings.size(); ++i) {
            write(std::as_bytes(std::span(beginnings[i])));
            graph.constants()[i].write(write);
        }
        source.require_unchanged();
        file.commit();
    });
}

}  // namespace vgg19::converter
