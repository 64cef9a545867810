// The formats of other programs that this build reads.
#pragma once

#include <span>

#include "converter/import/foreign_format.h"

namespace vgg19::converter {

/// For ImportOptions::formats: ONNX and Caffe where the build has protobuf (VGG19_PROTOBUF), Keras
/// where it has the HDF5 library (VGG19_HDF5).
std::span<const ForeignFormat> foreign_formats();

}  // namespace vgg19::converter
