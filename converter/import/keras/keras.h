// Reads VGG networks of Keras.
#pragma once

#include "converter/import/foreign_format.h"

namespace vgg19::converter {

/// Reads .h5 of Keras 1 to 3, .weights.h5 and .keras. A file with the network's configuration is checked
/// layer by layer; one of weights alone is searched by names. Kernels are turned from channels last to ours.
extern const ForeignFormat keras_format;

}  // namespace vgg19::converter
