// For tests: the reference for FP32 convolutions.
#pragma once

#include "kernels/conv_direct/conv_direct.h"

namespace vgg19::kernels {

/// The reference for every FP32 convolution: plain layouts ([batch][channels][height][width] in and out,
/// weights as in PyTorch), sums in double. `magnitude`, unless null, receives Σ|input · weights| + |bias| for
/// each output, for error bounds.
void conv_reference(const ConvDirect& plain_problem, double* output, double* magnitude);

}  // namespace vgg19::kernels
