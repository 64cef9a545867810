// Layers as nodes of an ONNX graph. Each function returns the name of its output, which is `output`.
#pragma once

#include <string>

#include "converter/export/onnx/graph.h"
#include "engine/model/model_file.h"
#include "vgg19/model.h"

namespace vgg19::converter {

/// 3×3, padding 1, with bias and without ReLU.
std::string add_convolution(OnnxGraph& graph, const std::string& input, const std::string& weight,
                            const std::string& bias, const std::string& output);

/// 2×2, stride 2.
std::string add_pool(OnnxGraph& graph, Pooling pooling, const std::string& input, const std::string& output);

/// PyTorch's AdaptiveAvgPool2d of maps of `size` to side × side.
std::string add_adaptive_average_pool(OnnxGraph& graph, const std::string& input, MapSize size,
                                      std::size_t side, const std::string& output);

/// With bias, from FP32 weights (outputs, inputs).
std::string add_dense(OnnxGraph& graph, const std::string& input, const std::string& weight,
                      const std::string& bias, const std::string& output);

/// Rounds to 8 bits as quantize_blocked does, and multiplies them by the scale again: the pair between which
/// other programs compute in 8 bits. The result's name is "INPUT.dequantized".
std::string add_quantization(OnnxGraph& graph, const std::string& input, float scale,
                             const std::string& scale_name);

/// The weights of an INT8 convolution, and its bias in steps of its sums, in which other programs add it:
/// they round it to 32 bits, by less than a millionth of most outputs. Both are multiplied by their scales.
std::string add_int8_weight(OnnxGraph& graph, const model::ModelFile& model,
                            const model::ConvolutionLayer& layer);
std::string add_int8_bias(OnnxGraph& graph, const model::ModelFile& model,
                          const model::ConvolutionLayer& layer, float input_scale);

/// An INT8 dense layer with the arithmetic of kernels/dense, bit by bit: the input of each image is quantised
/// with a scale of its own.
std::string add_int8_dense(OnnxGraph& graph, const model::ModelFile& model, const model::DenseLayer& layer,
                           const std::string& input, const std::string& output);

}  // namespace vgg19::converter
