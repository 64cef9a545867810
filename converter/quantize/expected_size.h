// What a network's INT8 file takes on disk, from its widths alone.
#pragma once

#include "engine/model/network.h"

namespace vgg19::converter {

/// Bytes of the file that quantises all layers but the first to INT8, with the scales for both Winograd
/// kernels and a header of the usual length: right to within some kilobytes, since the header's length
/// depends on the model's lineage and class names.
double expected_int8_bytes(const model::Network& network);

}  // namespace vgg19::converter
