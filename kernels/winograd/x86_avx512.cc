#include "kernels/common/x86_avx512_vector.h"
#include "kernels/winograd/steps.h"

namespace vgg19::kernels {

namespace {

struct TilesAvx512 : Avx512 {
    static constexpr std::size_t rows = 14;  ///< 14 × 2 sums, 2 filters and a pixel fill 31 of 32 registers
};

}  // namespace

const WinogradSteps winograd_avx512 = {WinogradKernel<TilesAvx512>::transform_input,
                                       WinogradKernel<TilesAvx512>::multiply,
                                       WinogradKernel<TilesAvx512>::pack_weights};

}  // namespace vgg19::kernels
