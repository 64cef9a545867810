#include <google/protobuf/arena.h>

#include <string>

#include "converter/export/exported_description.h"
#include "converter/export/onnx/file.h"
#include "converter/export/onnx/network.h"
#include "converter/export/onnx_file.h"
#include "engine/model/description.h"
#include "engine/model/number_text.h"
#include "engine/model/output_names.h"

namespace vgg19::converter {
namespace {

constexpr std::int64_t ir_version = 8;
constexpr std::int64_t operators_version = 13;

/// As it appears in the lineage.
std::string command_line(const OnnxOptions& options) {
    std::string text = "--onnx --size " + to_string(options.input_size);
    if (options.batch > 0) text += " --batch " + std::to_string(options.batch);
    if (options.plain) text += " --fp32";
    std::string names;
    for (const std::string& name : options.outputs) names += (names.empty() ? "" : ",") + name;
    return text + " --outputs " + names;
}

/// For people who open the file in a viewer.
std::string input_text(const Preprocessing& preprocessing) {
    const auto numbers = [](const std::array<float, 3>& values) {
        return shortest_text(values[0]) + ", " + shortest_text(values[1]) + ", " + shortest_text(values[2]);
    };
    return std::string(model::channel_order_name(preprocessing.channel_order)) + ", values x from 0 to " +
           shortest_text(preprocessing.range) + " as (x - mean) / deviation; mean " +
           numbers(preprocessing.mean) + "; deviation " + numbers(preprocessing.deviation);
}

/// In an arena, as the graph is.
const onnx::ModelProto& head_of(const model::ModelFile& model, const OnnxOptions& options,
                                google::protobuf::Arena& arena) {
    onnx::ModelProto& head = *google::protobuf::Arena::CreateMessage<onnx::ModelProto>(&arena);
    head.set_ir_version(ir_version);
    head.set_producer_name("vgg19");
    onnx::OperatorSetIdProto& operators = *head.add_opset_import();
    operators.set_domain("");
    operators.set_version(operators_version);
    const WeightType type = options.plain ? WeightType::plain : WeightType::as_stored;
    for (const auto& [key, value] : exported_description(model, command_line(options), type)) {
        onnx::StringStringEntryProto& entry = *head.add_metadata_props();
        entry.set_key(key);
        entry.set_value(value);
    }
    return head;
}

}  // namespace

void export_onnx(const model::ModelFile& model, const std::filesystem::path& output,
                 const OnnxOptions& options, const model::Progress& progress) {
    model::require_other_file(model.path(), output);
    OnnxOptions complete = options;
    const Preprocessing& preprocessing = model.description().preprocessing;
    if (complete.input_size.empty()) complete.input_size = preprocessing.input_size;
    if (complete.outputs.empty()) complete.outputs = {model::default_output(model.network())};
    OnnxGraph graph = onnx_graph(model, complete);
    graph.nodes().set_name("vgg19");
    graph.nodes().mutable_input(0)->set_doc_string(input_text(preprocessing));
    google::protobuf::Arena arena;
    write_onnx(output, head_of(model, complete, arena), graph, model.file().mapping(), progress);
}

}  // namespace vgg19::converter
