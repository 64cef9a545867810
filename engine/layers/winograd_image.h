// The first convolution, of an image, by Winograd's minimal filtering along rows.
#pragma once

#include <memory>

#include "engine/layers/convolution.h"
#include "kernels/winograd_image/winograd_image.h"

namespace vgg19::layers {

kernels::WinogradImage winograd_image_problem(const ConvolutionShape& shape, const Execution& execution);

std::unique_ptr<Operation> make_winograd_image(const ConvolutionShape& shape,
                                               const ConvolutionWeights& weights, const Execution& execution);

}  // namespace vgg19::layers
