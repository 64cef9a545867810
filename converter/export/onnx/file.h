// Writes an ONNX file with weights that are made while it is written.
#pragma once

#include <filesystem>

#include "converter/export/onnx/graph.h"
#include "engine/model/mapped_file.h"

namespace vgg19::converter {

/// `head` is the model without its graph. Throws as export_onnx() does.
void write_onnx(const std::filesystem::path& output, const onnx::ModelProto& head, const OnnxGraph& graph,
                const model::MappedFile& source, const model::Progress& progress);

}  // namespace vgg19::converter
