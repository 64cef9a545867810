// INT8 convolutions: 8-bit weights and input, and an output in 8 bits or in floats as the next layer wants
// it.
#pragma once

#include <memory>

#include "engine/layers/convolution.h"
#include "kernels/conv_int8/conv_int8.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::layers {

kernels::ConvInt8 conv_int8_problem(const ConvolutionShape& shape, const Execution& execution);
kernels::WinogradInt8 winograd_int8_problem(const ConvolutionShape& shape, const Execution& execution);

/// Both pool where a pool follows. The first throws Error (bad_input) for so many channels that sums could
/// pass 32 bits.
std::unique_ptr<Operation> make_conv_int8(const ConvolutionShape& shape, const ConvolutionWeights& weights,
                                          const Execution& execution);
std::unique_ptr<Operation> make_winograd_int8(const ConvolutionShape& shape,
                                              const ConvolutionWeights& weights, const Execution& execution);

}  // namespace vgg19::layers
