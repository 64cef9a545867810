// 2×2 max-pool of stride 2:
//
//   output[p][y][x][c] = max over dy, dx in {0, 1} of input[p][2y + dy][2x + dx][c]
#pragma once

#include "kernels/common/pool_2x2.h"
#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

VGG19_KERNELS(VGG19_FLOAT_ISAS, Pool2x2Function, max_pool)

}  // namespace vgg19::kernels
