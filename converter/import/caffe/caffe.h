// Reads VGG networks of Caffe.
#pragma once

#include "converter/import/foreign_format.h"

namespace vgg19::converter {

/// Reads .caffemodel with layers of either version. Layers are checked one by one; those that read data, and
/// those that compute losses, are skipped.
extern const ForeignFormat caffe_format;

}  // namespace vgg19::converter
