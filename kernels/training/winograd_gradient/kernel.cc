#include "kernels/simd/vector.h"
#include "kernels/training/winograd_gradient/steps.h"

namespace vgg19::kernels::VGG19_ISA {

const WinogradGradientSteps winograd_gradient = {WinogradGradientKernel<Vector>::transform_gradient,
                                                 WinogradGradientKernel<Vector>::multiply,
                                                 WinogradGradientKernel<Vector>::finish};

}  // namespace vgg19::kernels::VGG19_ISA
