// For tests: the oracle of FP32 convolutions.
#pragma once

#include "kernels/conv_direct/conv_direct.h"

namespace vgg19::kernels {

/// The oracle for every FP32 convolution here: plain layouts ([batch][channels][height][width] in and out,
/// weights as PyTorch's), sums in double. `magnitude`, unless null, gets Σ|input · weights| + |bias| of each
/// output, for error bounds.
void conv_reference(const ConvDirect& plain_problem, double* output, double* magnitude);

}  // namespace vgg19::kernels
