#include "converter/prune/least_squares.h"

// One thread each: the tasks below are what runs on several, so that sums do not depend on their number.
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "kernels/common/parallel.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

using kernels::panel_columns;
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic>;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// So many that FP32 sums lose nothing that matters, and that they stay in the second cache.
constexpr std::size_t block_samples = 256;

std::size_t panels_of(std::size_t columns) {
    return (columns + panel_columns - 1) / panel_columns;
}

Eigen::Index index(std::size_t value) {
    return static_cast<Eigen::Index>(value);
}

/// Rows one after the other to panels; the columns past the last stay zero.
void to_panels(const float* rows, std::size_t samples, std::size_t columns, float* panels, int threads) {
    kernels::parallel_for(threads, panels_of(columns), [&](std::size_t panel) {
        const std::size_t first = panel * panel_columns;
        const std::size_t count = std::min(panel_columns, columns - first);
        float* to = panels + first * samples;
        for (std::size_t sample = 0; sample < samples; ++sample, to += panel_columns) {
            std::copy_n(rows + sample * columns + first, count, to);
            std::fill(to + count, to + panel_columns, 0.0F);
        }
    });
}

}  // namespace

LeastSquares::LeastSquares(std::size_t unknowns, std::size_t outputs, kernels::Isa isa, int threads)
    : kernel_(kernels::select(kernels::column_products_kernels(), isa)),
      threads_(threads),
      unknowns_(unknowns),
      outputs_(outputs),
      unknown_panels_(panels_of(unknowns)),
      output_panels_(panels_of(outputs)),
      moment_stride_(unknown_panels_ * panel_columns),
      moments_(moment_stride_ * moment_stride_),
      products_(moment_stride_ * output_panels_ * panel_columns),
      row_panels_(block_samples * moment_stride_),
      target_panels_(block_samples * output_panels_ * panel_columns) {}

void LeastSquares::add(std::span<const float> rows, std::span<const float> targets) {
    const std::size_t all = rows.size() / unknowns_;
    for (std::size_t begin = 0; begin < all; begin += block_samples) {
        const std::size_t count = std::min(block_samples, all - begin);
        to_panels(rows.data() + begin * unknowns_, count, unknowns_, row_panels_.data(), threads_);
        const kernels::ColumnProducts moments = {.samples = count,
                                                 .left_panels = unknown_panels_,
                                                 .right_panels = unknown_panels_,
                                                 .left = row_panels_.data(),
                                                 .right = row_panels_.data(),
                                                 .sums = moments_.data(),
                                                 .stride = moment_stride_,
                                                 .lower = true};
        kernels::ColumnProducts products = moments;
        if (outputs_ > 0) {
            to_panels(targets.data() + begin * outputs_, count, outputs_, target_panels_.data(), threads_);
            products.right_panels = output_panels_;
            products.right = target_panels_.data();
            products.sums = products_.data();
            products.stride = output_panels_ * panel_columns;
            products.lower = false;
        }
        // A few panels a task: the last ones are the longest.
        constexpr std::size_t task_panels = 8;
        const std::size_t tasks = (unknown_panels_ + task_panels - 1) / task_panels;
        kernels::parallel_workers(threads_, tasks, [&](std::size_t, std::size_t task) {
            const std::size_t last = std::min(unknown_panels_, (tasks - task) * task_panels);
            const std::size_t first = (tasks - task - 1) * task_panels;
            kernel_.run(moments, first, last);
            if (outputs_ > 0) kernel_.run(products, first, last);
        });
    }
    samples_ += all;
}

std::vector<float> LeastSquares::solve(double ridge) const {
    const auto size = index(unknowns_);
    // The lower half by rows is the upper half by columns.
    Matrix normal = Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>(
        moments_.data(), size, size, Eigen::OuterStride<>(index(moment_stride_)));
    const double mean = normal.diagonal().head(size - 1).mean();
    if (!std::isfinite(mean)) throw Error(ErrorKind::failed, "least squares: the activations are not finite");
    // The smallest term is for rows that are all zero.
    normal.diagonal().head(size - 1).array() += ridge * mean + 1e-30;
    const Eigen::LLT<Eigen::Ref<Matrix>, Eigen::Upper> factors(normal);
    if (factors.info() != Eigen::Success) {
        throw Error(ErrorKind::failed, "least squares: the normal equations have no solution");
    }

    constexpr std::size_t task_outputs = 64;
    std::vector<float> solution(outputs_ * unknowns_);
    const std::size_t tasks = (outputs_ + task_outputs - 1) / task_outputs;
    const Eigen::Map<const RowMajor, 0, Eigen::OuterStride<>> products(
        products_.data(), size, index(outputs_),
        Eigen::OuterStride<>(index(output_panels_ * panel_columns)));
    kernels::parallel_for(threads_, tasks, [&](std::size_t task) {
        const std::size_t first = task * task_outputs;
        const std::size_t count = std::min(task_outputs, outputs_ - first);
        Matrix columns = products.middleCols(index(first), index(count));
        factors.solveInPlace(columns);
        Eigen::Map<Eigen::MatrixXf>(solution.data() + first * unknowns_, size, index(count)) =
            columns.cast<float>();
    });
    return solution;
}

}  // namespace vgg19::converter
