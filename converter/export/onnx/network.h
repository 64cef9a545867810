// A network as an ONNX graph.
#pragma once

#include "converter/export/onnx/graph.h"
#include "converter/export/onnx_file.h"

namespace vgg19::converter {

/// `model` must outlive the graph's constants. `options` has an input size and at least one output. Throws
/// Error (usage).
OnnxGraph onnx_graph(const model::ModelFile& model, const OnnxOptions& options);

}  // namespace vgg19::converter
