#include "kernels/onednn/training/matrix_product.h"

#include <stdexcept>
#include <string>

#include "kernels/common/openmp.h"
#include "kernels/onednn/library.h"

namespace vgg19::kernels {

void matrix_product(const MatrixProduct& problem, int threads) {
    using onednn::dimension;
    onednn::require_memory();
    const OpenMpThreads scope(threads);
    const auto flag = [](const MatrixOperand& operand) { return operand.transposed ? 'T' : 'N'; };
    const auto rows = dimension(problem.rows);
    const auto columns = dimension(problem.columns);
    const auto terms = dimension(problem.terms);
    const dnnl_status_t status = dnnl_sgemm(flag(problem.left), flag(problem.right), rows, columns, terms,
                                            1.0F, problem.left.values, problem.left.transposed ? rows : terms,
                                            problem.right.values, problem.right.transposed ? terms : columns,
                                            problem.add ? 1.0F : 0.0F, problem.result, columns);
    if (status == dnnl_out_of_memory) throw std::bad_alloc();
    if (status != dnnl_success) {
        throw std::runtime_error("oneDNN could not multiply matrices of " + std::to_string(problem.rows) +
                                 "×" + std::to_string(problem.terms) + " and " +
                                 std::to_string(problem.terms) + "×" + std::to_string(problem.columns) +
                                 ": status " + std::to_string(status));
    }
}

}  // namespace vgg19::kernels
