// Reads VGG networks of ONNX.
#pragma once

#include "converter/import/foreign_format.h"

namespace vgg19::converter {

/// Reads what PyTorch (both exporters), MXNet and others write: Conv, BatchNormalization, Relu, MaxPool, Gemm
/// and so on in one chain. Names do not matter. Weights may be in the file or in files beside it.
extern const ForeignFormat onnx_format;

}  // namespace vgg19::converter
