#include "converter/import/onnx/onnx.h"

#include "converter/import/formats/layer_chain.h"
#include "converter/import/onnx/onnx_file.h"
#include "converter/import/onnx/onnx_layers.h"
#include "converter/import/onnx/onnx_tensors.h"
#include "engine/model/safetensors.h"

namespace vgg19::converter {
namespace {

CheckpointContents read_onnx(const model::MappedFile& file) {
    const OnnxGraph graph = read_onnx_graph(file);
    CheckpointContents contents;
    OnnxTensors tensors(file, contents);
    OnnxLayers layers(graph, tensors, file.path().string());
    const std::vector<ChainLayer> chain = layers.read();
    contents.facts.input_size = layers.input_size();
    const std::string* const writer = model::find(graph.metadata, "format");
    if (writer != nullptr && *writer == "vgg19") contents.facts.exported = graph.metadata;
    name_as_vgg(chain, file.path().string(), contents);
    return contents;
}

}  // namespace

const ForeignFormat onnx_format = {is_onnx_file, read_onnx, "ONNX"};

}  // namespace vgg19::converter
