#include "kernels/dense_sparse_input/add_rows.h"

namespace vgg19::kernels::VGG19_ISA {

void dense_sparse_input(const DenseSparseInput& problem, std::size_t begin, std::size_t end) {
    constexpr std::size_t images = Vector::registers >= 32 ? 4 : 2;
    if (problem.batch == 1) {
        compute_sparse<8, 1>(problem, begin, end);
    } else {
        compute_sparse<4, images>(problem, begin, end);
    }
}

}  // namespace vgg19::kernels::VGG19_ISA
