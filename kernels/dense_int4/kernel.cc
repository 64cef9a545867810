#include "kernels/dense_int4/add_rows.h"

namespace vgg19::kernels::VGG19_ISA {

void dense_int4(const DenseInt4& problem, std::size_t begin, std::size_t end) {
    constexpr std::size_t images = Vector::registers >= 32 ? 2 : 1;
    compute_int4<images>(problem, begin, end);
}

}  // namespace vgg19::kernels::VGG19_ISA
