// Writes a model as ONNX.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/model/model_file.h"

namespace vgg19::converter {

/// Inputs at once, where a graph fixes their number.
inline constexpr std::size_t largest_onnx_batch = 65'536;

struct OnnxOptions {
    MapSize input_size{};  ///< of the graph; empty: the model's
    /// Inputs at once; 0: any number, which each run decides.
    std::size_t batch = 0;
    /// Names of outputs (network_outputs); empty: default_output(), the logits or the last map.
    std::vector<std::string> outputs{};
    /// Writes INT8 layers in FP32, as their weights and scales give them.
    bool plain = false;
};

/// Writes an ONNX model (IR version 8, operators of version 13) with
/// - the input "input", (batch, 3, height, width) in FP32, prepared as the model's preprocessing says, which
///   the metadata hold: the keys and values of a model file (docs/model-file.md);
/// - weights with torchvision's names and shapes;
/// - INT8 convolutions between QuantizeLinear and DequantizeLinear, with the file's scales, which direct
///   convolution uses; INT8 dense layers as MatMulInteger, with a scale for each image that the graph
///   computes as kernels/dense does; INT4 layers in FP32.
///
/// Weights are passed on some MB at a time, and the file appears whole or not at all. Throws Error: usage for
/// an unknown output, a size that is too small, for more than ONNX's 2 GB, if both paths are the same file,
/// or in a build without protobuf; bad_input if the model's file changes meanwhile; failed if the output
/// cannot be written.
void export_onnx(const model::ModelFile& model, const std::filesystem::path& output,
                 const OnnxOptions& options = {}, const model::Progress& progress = {});

}  // namespace vgg19::converter
