#include "converter/refit/least_squares.h"

#include <algorithm>
#include <cmath>

#include "converter/refit/cholesky.h"
#include "converter/refit/panels.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

using kernels::panel_columns;

/// Few enough for accurate FP32 sums, and to stay in the L2 cache.
constexpr std::size_t block_samples = 256;

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
        rows_to_panels(rows.data() + begin * unknowns_, unknowns_, count, unknowns_, row_panels_.data(),
                       threads_);
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
            rows_to_panels(targets.data() + begin * outputs_, outputs_, count, outputs_,
                           target_panels_.data(), threads_);
            products.right_panels = output_panels_;
            products.right = target_panels_.data();
            products.sums = products_.data();
            products.stride = output_panels_ * panel_columns;
            products.lower = false;
        }
        for_panels(threads_, unknown_panels_, [&](std::size_t first, std::size_t last) {
            kernel_.run(moments, first, last);
            if (outputs_ > 0) kernel_.run(products, first, last);
        });
    }
    samples_ += all;
}

std::vector<float> LeastSquares::solve(double ridge) const {
    std::vector<double> normal = moments_;
    const std::size_t stride = moment_stride_;
    double mean = 0;
    for (std::size_t i = 0; i + 1 < unknowns_; ++i) mean += moment(i, i) / static_cast<double>(unknowns_ - 1);
    if (!std::isfinite(mean)) throw Error(ErrorKind::failed, "least squares: the activations are not finite");
    for (std::size_t i = 0; i + 1 < unknowns_; ++i) normal[i * stride + i] += ridge * mean;
    // The tiny term keeps unknowns that are zero in every row solvable; the ones fill the padding.
    for (std::size_t i = 0; i < unknowns_; ++i) normal[i * stride + i] += 1e-30;
    for (std::size_t i = unknowns_; i < stride; ++i) normal[i * stride + i] = 1;

    const Cholesky cholesky(kernel_, threads_);
    const SquareMatrix matrix = {normal.data(), stride};
    if (!cholesky.factor(matrix)) {
        throw Error(ErrorKind::failed, "least squares: the normal equations have no solution");
    }
    std::vector<double> columns = products_;
    cholesky.solve(matrix, columns, output_panels_ * panel_columns);
    std::vector<float> solution(outputs_ * unknowns_);
    for (std::size_t output = 0; output < outputs_; ++output) {
        for (std::size_t i = 0; i < unknowns_; ++i) {
            solution[output * unknowns_ + i] =
                static_cast<float>(columns[i * output_panels_ * panel_columns + output]);
        }
    }
    return solution;
}

}  // namespace vgg19::converter
