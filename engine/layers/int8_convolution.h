// INT8 convolutions: 8-bit weights and input; the output is 8-bit or float, as the next layer requires.
#pragma once

#include <memory>

#include "engine/layers/convolution.h"
#include "kernels/conv_int8/conv_int8.h"
#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::layers {

kernels::ConvInt8 conv_int8_problem(const ConvolutionShape& shape, const Execution& execution);
kernels::WinogradInt8 winograd_int8_problem(kernels::WinogradInt8Tile tile, const ConvolutionShape& shape,
                                            const Execution& execution);

/// Both include a following pool. The first throws Error (bad_input) if there are so many channels that sums
/// could overflow 32 bits.
std::unique_ptr<Operation> make_conv_int8(const ConvolutionShape& shape, const ConvolutionWeights& weights,
                                          const Execution& execution);
std::unique_ptr<Operation> make_winograd_int8(kernels::WinogradInt8Tile tile, const ConvolutionShape& shape,
                                              const ConvolutionWeights& weights, const Execution& execution);

}  // namespace vgg19::layers
