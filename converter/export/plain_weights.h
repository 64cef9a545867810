// A model's weights as torchvision has them, for files of other programs.
#pragma once

#include <vector>

#include "engine/model/model_file.h"

namespace vgg19::converter {

/// Whether a layer's weights are stored in fewer bits than FP32.
bool is_quantized(const model::ModelFile& model, std::string_view layer);
bool any_layer_is_quantized(const model::ModelFile& model);
bool any_layer_is_int8(const model::ModelFile& model);

/// One tensor of Network::tensors(): a weight or bias of any layer, in FP32 and torchvision's order. INT8 and
/// INT4 weights are multiplied by their scales, and factors of output channels (network.h) are undone, so
/// that every map is the trained network's. The stream makes some MB at a time, on all CPUs; `model` must
/// outlive it.
model::TensorStream plain_weight(const model::ModelFile& model, const model::ConvolutionLayer& layer);
model::TensorStream plain_weight(const model::ModelFile& model, const model::DenseLayer& layer);
model::TensorStream plain_bias(const model::ModelFile& model, const model::ConvolutionLayer& layer);
model::TensorStream plain_bias(const model::ModelFile& model, const model::DenseLayer& layer);

/// All of them, in the order of Network::tensors().
std::vector<model::TensorStream> plain_weights(const model::ModelFile& model);

}  // namespace vgg19::converter
