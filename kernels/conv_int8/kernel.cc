#include "kernels/conv_int8/tiles.h"
#include "kernels/simd/vector.h"

namespace vgg19::kernels::VGG19_ISA {

void conv_int8(const ConvInt8& problem, std::size_t group, std::size_t row_begin, std::size_t row_end,
               std::int32_t* sums) {
    ConvInt8Kernel<Vector>::run(problem, group, row_begin, row_end, sums);
}

}  // namespace vgg19::kernels::VGG19_ISA
