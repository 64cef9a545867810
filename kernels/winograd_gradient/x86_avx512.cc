#include "kernels/common/x86_avx512_vector.h"
#include "kernels/winograd_gradient/steps.h"

namespace vgg19::kernels {

namespace {

struct GradientAvx512 : Avx512 {
    static constexpr std::size_t rows = 8;  ///< 8 × 3 sums, 3 gradients and a value fill 28 of 32 registers
};

using Steps = WinogradGradientKernel<GradientAvx512>;

}  // namespace

const WinogradGradientSteps winograd_gradient_avx512 = {Steps::transform_gradient, Steps::multiply,
                                                        Steps::finish};

}  // namespace vgg19::kernels
