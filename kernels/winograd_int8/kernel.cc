#include "kernels/simd/vector.h"
#include "kernels/winograd_int8/steps.h"

namespace vgg19::kernels::VGG19_ISA {

const WinogradInt8Steps winograd_int8 = {WinogradInt8Kernel<Vector>::transform_input,
                                         WinogradInt8Kernel<Vector>::multiply,
                                         WinogradInt8Kernel<Vector>::transform_output};

}  // namespace vgg19::kernels::VGG19_ISA
