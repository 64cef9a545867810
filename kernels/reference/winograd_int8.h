// For tests: the steps of kernels/winograd_int8 in plain loops.
#pragma once

#include "kernels/winograd_int8/winograd_int8.h"

namespace vgg19::kernels {

extern const WinogradInt8Steps winograd_int8_reference;

}  // namespace vgg19::kernels
