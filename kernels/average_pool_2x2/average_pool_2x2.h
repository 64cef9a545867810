// 2×2 average pool of stride 2: PyTorch's AvgPool2d(2), in its order of summation,
//
//   output[p][y][x][c] = (((a + b) + c) + d) / 4    of input[p][2y + dy][2x + dx][c], by rows
//
// All kernels give identical bits.
#pragma once

#include "kernels/common/pool_2x2.h"
#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

VGG19_KERNELS(VGG19_FLOAT_ISAS, Pool2x2Function, average_pool_2x2)

}  // namespace vgg19::kernels
