// A Winograd convolution, with an optional max-pool.
#pragma once

#include <memory>
#include <string>

#include "engine/layers/convolution.h"
#include "kernels/winograd/schedule.h"

namespace vgg19::layers {

kernels::Winograd winograd_problem(const ConvolutionShape& shape, kernels::WinogradTile tile,
                                   const Execution& execution);

/// "f4x7"
std::string winograd_tile_name(kernels::WinogradTile tile);

/// Whether the convolution includes the pool that follows: its windows fit only into tiles with even sides.
bool winograd_pools(const ConvolutionShape& shape, kernels::WinogradTile tile);

std::unique_ptr<Operation> make_winograd(kernels::WinogradTile tile, const ConvolutionShape& shape,
                                         const ConvolutionWeights& weights, const Execution& execution);

}  // namespace vgg19::layers
