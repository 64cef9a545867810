#include "kernels/onednn/training/matrix_product.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/common/openmp.h"
#include "kernels/common/parallel.h"
#include "kernels/onednn/library.h"

namespace vgg19::kernels {

namespace {

/// Rows or columns of the result in one part: enough that a part reads whole pages of a row-major matrix.
constexpr std::size_t part_length = 256;

void multiply_part(const MatrixProduct& problem, Range rows, Range columns) {
    using onednn::dimension;
    const OpenMpThreads scope(1);
    const auto flag = [](const MatrixOperand& operand) { return operand.transposed ? 'T' : 'N'; };
    const std::size_t left_stride = problem.left.transposed ? problem.rows : problem.terms;
    const std::size_t right_stride = problem.right.transposed ? problem.terms : problem.columns;
    const float* const left = problem.left.values + rows.begin * (problem.left.transposed ? 1 : left_stride);
    const float* const right =
        problem.right.values + columns.begin * (problem.right.transposed ? right_stride : 1);
    const dnnl_status_t status =
        dnnl_sgemm(flag(problem.left), flag(problem.right), dimension(rows.end - rows.begin),
                   dimension(columns.end - columns.begin), dimension(problem.terms), 1.0F, left,
                   dimension(left_stride), right, dimension(right_stride), problem.add ? 1.0F : 0.0F,
                   problem.result + rows.begin * problem.columns + columns.begin, dimension(problem.columns));
    if (status == dnnl_out_of_memory) throw std::bad_alloc();
    if (status != dnnl_success) {
        throw std::runtime_error("oneDNN could not multiply matrices of " + std::to_string(problem.rows) +
                                 "×" + std::to_string(problem.terms) + " and " +
                                 std::to_string(problem.terms) + "×" + std::to_string(problem.columns) +
                                 ": status " + std::to_string(status));
    }
}

}  // namespace

void matrix_product(const MatrixProduct& problem, int threads) {
    onednn::require_memory();
    const bool splits_rows = problem.rows > problem.columns;
    const std::size_t length = splits_rows ? problem.rows : problem.columns;
    const std::size_t parts = (length + part_length - 1) / part_length;
    // Without OpenMP in this build, oneDNN takes threads of its own for each part.
    parallel_for(sets_openmp_threads() ? threads : 1, parts, [&](std::size_t part) {
        const std::size_t begin = part * part_length;
        const Range range = {begin, std::min(begin + part_length, length)};
        multiply_part(problem, splits_rows ? range : Range{0, problem.rows},
                      splits_rows ? Range{0, problem.columns} : range);
    });
}

}  // namespace vgg19::kernels
