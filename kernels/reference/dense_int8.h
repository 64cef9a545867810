// For tests: the reference for INT8 dense layers.
#pragma once

#include "kernels/dense_int8/dense_int8.h"

namespace vgg19::kernels {

/// Computes outputs [begin, end) of every image, in loops.
void dense_int8_reference(const DenseInt8& problem, std::size_t begin, std::size_t end);

}  // namespace vgg19::kernels
