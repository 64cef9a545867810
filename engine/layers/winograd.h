// A convolution by Winograd's minimal filtering, with the max-pool that follows.
#pragma once

#include <memory>

#include "engine/layers/convolution.h"
#include "kernels/winograd/schedule.h"

namespace vgg19::layers {

kernels::Winograd winograd_problem(const ConvolutionShape& shape, kernels::WinogradTile tile,
                                   const Execution& execution);

/// Whether the pool that follows is part of the convolution: its windows fit into tiles of an even side.
bool winograd_pools(const ConvolutionShape& shape, kernels::WinogradTile tile);

std::unique_ptr<Operation> make_winograd(kernels::WinogradTile tile, const ConvolutionShape& shape,
                                         const ConvolutionWeights& weights, const Execution& execution);

}  // namespace vgg19::layers
