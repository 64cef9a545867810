#include "kernels/common/x86_avx2_vector.h"
#include "kernels/winograd_gradient/steps.h"

namespace vgg19::kernels {

namespace {

struct GradientAvx2 : Avx2 {
    static constexpr std::size_t rows = 4;  ///< 4 × 3 sums, 3 gradients and a value fill 16 of 16 registers
};

using Steps = WinogradGradientKernel<GradientAvx2>;

}  // namespace

const WinogradGradientSteps winograd_gradient_avx2 = {Steps::transform_gradient, Steps::multiply,
                                                      Steps::finish};

}  // namespace vgg19::kernels
