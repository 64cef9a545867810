#include "kernels/simd/vector.h"
#include "kernels/winograd/steps.h"

namespace vgg19::kernels::VGG19_ISA {

const WinogradSteps winograd = {WinogradKernel<Vector>::transform_input, WinogradKernel<Vector>::multiply,
                                WinogradKernel<Vector>::transform_output,
                                WinogradKernel<Vector>::pack_weights};

}  // namespace vgg19::kernels::VGG19_ISA
