#include "kernels/simd/vector.h"
#include "kernels/winograd_image/steps.h"

namespace vgg19::kernels::VGG19_ISA {

void winograd_image(const WinogradImage& problem, std::size_t row_begin, std::size_t row_end,
                    float* scratch) {
    WinogradImageKernel<Vector>::run(problem, row_begin, row_end, scratch);
}

}  // namespace vgg19::kernels::VGG19_ISA
