#include "kernels/common/x86_avx2_vector.h"
#include "kernels/winograd/steps.h"

namespace vgg19::kernels {

namespace {

struct TilesAvx2 : Avx2 {
    static constexpr std::size_t rows = 6;  ///< 6 × 2 sums, 2 filters and a pixel fill 15 of 16 registers
};

}  // namespace

const WinogradSteps winograd_avx2 = {WinogradKernel<TilesAvx2>::transform_input,
                                     WinogradKernel<TilesAvx2>::multiply,
                                     WinogradKernel<TilesAvx2>::pack_weights};

}  // namespace vgg19::kernels
