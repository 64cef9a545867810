#include "converter/refit/cholesky.h"

// Eigen runs single-threaded: the tasks below run in parallel, so that sums do not depend on the number of
// threads.
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "converter/refit/panels.h"
#include "kernels/common/parallel.h"

namespace vgg19::converter {

namespace {

using kernels::panel_columns;

constexpr std::size_t block_side = 128;
static_assert(block_side % panel_columns == 0);

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Block = Eigen::Map<RowMajor, 0, Eigen::OuterStride<>>;

Block block_at(double* values, std::size_t stride, std::size_t rows, std::size_t columns) {
    return {values, static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns),
            Eigen::OuterStride<>(static_cast<Eigen::Index>(stride))};
}

/// Copies the negated columns [begin, begin + samples) of rows [first, side); each row becomes a panel
/// column.
void negative_columns_to_panels(SquareMatrix matrix, std::size_t first, std::size_t begin,
                                std::size_t samples, float* panels, int threads) {
    kernels::parallel_for(threads, (matrix.side - first) / panel_columns, [&](std::size_t panel) {
        const double* from = matrix.values + (first + panel * panel_columns) * matrix.side + begin;
        float* to = panels + panel * panel_columns * samples;
        for (std::size_t i = 0; i < panel_columns; ++i) {
            for (std::size_t sample = 0; sample < samples; ++sample) {
                to[sample * panel_columns + i] = -static_cast<float>(from[i * matrix.side + sample]);
            }
        }
    });
}

}  // namespace

void Cholesky::add_products(const kernels::ColumnProducts& problem) const {
    for_panels(threads_, problem.left_panels,
               [&](std::size_t first, std::size_t last) { kernel_.run(problem, first, last); });
}

bool Cholesky::factor(SquareMatrix matrix) const {
    const std::size_t side = matrix.side;
    std::vector<float> panels(side * block_side);
    for (std::size_t begin = 0; begin < side; begin += block_side) {
        const std::size_t count = std::min(block_side, side - begin);
        const std::size_t end = begin + count;
        double* diagonal = matrix.values + begin * side + begin;
        Block block = block_at(diagonal, side, count, count);
        const Eigen::LLT<RowMajor, Eigen::Lower> factors(block);
        if (factors.info() != Eigen::Success) return false;
        block.triangularView<Eigen::Lower>() = factors.matrixL();

        const std::size_t below = (side - end) / panel_columns;
        kernels::parallel_for(threads_, below, [&](std::size_t panel) {
            double* rows = matrix.values + (end + panel * panel_columns) * side + begin;
            Block part = block_at(rows, side, panel_columns, count);
            block.triangularView<Eigen::Lower>().transpose().solveInPlace<Eigen::OnTheRight>(part);
        });
        negative_columns_to_panels(matrix, end, begin, count, panels.data(), threads_);
        std::vector<float> positive(panels.begin(),
                                    panels.begin() + static_cast<std::ptrdiff_t>((side - end) * count));
        for (float& value : positive) value = -value;
        add_products({.samples = count,
                      .left_panels = below,
                      .right_panels = below,
                      .left = panels.data(),
                      .right = positive.data(),
                      .sums = matrix.values + end * side + end,
                      .stride = side,
                      .lower = true});
    }
    return true;
}

void Cholesky::solve(SquareMatrix factors, std::span<double> right, std::size_t columns) const {
    const std::size_t side = factors.side;
    const std::size_t column_panels = columns / panel_columns;
    std::vector<float> left_panels(side * block_side);
    std::vector<float> right_panels(block_side * columns);
    const auto diagonal = [&](std::size_t begin, std::size_t count) {
        return block_at(factors.values + begin * side + begin, side, count, count);
    };
    /// Solves the rows of one block, several columns per task.
    const auto solve_block = [&](std::size_t begin, std::size_t count, bool transposed) {
        const Block block = diagonal(begin, count);
        kernels::parallel_for(threads_, column_panels, [&](std::size_t panel) {
            Block part = block_at(right.data() + begin * columns + panel * panel_columns, columns, count,
                                  panel_columns);
            if (transposed) {
                block.triangularView<Eigen::Lower>().transpose().solveInPlace(part);
            } else {
                block.triangularView<Eigen::Lower>().solveInPlace(part);
            }
        });
    };
    for (std::size_t begin = 0; begin < side; begin += block_side) {
        const std::size_t count = std::min(block_side, side - begin);
        const std::size_t end = begin + count;
        solve_block(begin, count, false);
        negative_columns_to_panels(factors, end, begin, count, left_panels.data(), threads_);
        rows_to_panels(right.data() + begin * columns, columns, count, columns, right_panels.data(),
                       threads_);
        add_products({.samples = count,
                      .left_panels = (side - end) / panel_columns,
                      .right_panels = column_panels,
                      .left = left_panels.data(),
                      .right = right_panels.data(),
                      .sums = right.data() + end * columns,
                      .stride = columns});
    }
    for (std::size_t end = side; end > 0;) {
        const std::size_t begin = (end - 1) / block_side * block_side;
        const std::size_t count = end - begin;
        solve_block(begin, count, true);
        rows_to_panels(factors.values + begin * side, side, count, begin, left_panels.data(), threads_);
        rows_to_panels(right.data() + begin * columns, columns, count, columns, right_panels.data(),
                       threads_);
        for (float& value : right_panels) value = -value;
        add_products({.samples = count,
                      .left_panels = begin / panel_columns,
                      .right_panels = column_panels,
                      .left = left_panels.data(),
                      .right = right_panels.data(),
                      .sums = right.data(),
                      .stride = columns});
        end = begin;
    }
}

}  // namespace vgg19::converter
