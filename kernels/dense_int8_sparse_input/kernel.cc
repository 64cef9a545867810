#include "kernels/dense_int8_sparse_input/add_rows.h"

namespace vgg19::kernels::VGG19_ISA {

void dense_int8_sparse_input(const DenseInt8SparseInput& problem, std::size_t begin, std::size_t end) {
    compute_sparse(problem, begin, end);
}

}  // namespace vgg19::kernels::VGG19_ISA
