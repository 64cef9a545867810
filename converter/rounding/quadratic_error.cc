#include "converter/rounding/quadratic_error.h"

#include <cmath>
#include <limits>

#include "converter/refit/cholesky.h"
#include "converter/refit/panels.h"
#include "kernels/common/parallel.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

constexpr std::size_t padded(std::size_t inputs) {
    constexpr std::size_t block = QuadraticError::block;
    return (inputs + block - 1) / block * block;
}

/// The sums of products of the inputs, and of inputs and targets, about their means if they are centred.
struct Moments {
    const LeastSquares& samples;
    const ErrorTerms& terms;

    std::size_t inputs() const { return samples.unknowns() - 1; }
    double mean(std::size_t input) const {
        if (!terms.centred || samples.samples() == 0) return 0;
        return samples.moment(inputs(), input) / static_cast<double>(samples.samples());
    }

    /// H with its padding, the lower half.
    std::vector<double> matrix() const {
        const std::size_t side = padded(inputs());
        std::vector<double> matrix(side * side);
        double mean_diagonal = 0;
        for (std::size_t i = 0; i < inputs(); ++i) {
            const double mean_input = mean(i);
            for (std::size_t j = 0; j <= i; ++j) {
                matrix[i * side + j] = samples.moment(i, j) - mean_input * samples.moment(inputs(), j);
            }
            mean_diagonal += matrix[i * side + i] / static_cast<double>(inputs());
        }
        if (!std::isfinite(mean_diagonal)) {
            throw Error(ErrorKind::failed, "rounding: the activations are not finite");
        }
        // The smallest number is for inputs that are always zero; the ones fill the padding.
        const double added = terms.damping * mean_diagonal + double{std::numeric_limits<float>::min()};
        for (std::size_t i = 0; i < inputs(); ++i) matrix[i * side + i] += added;
        for (std::size_t i = inputs(); i < side; ++i) matrix[i * side + i] = 1;
        return matrix;
    }

    /// Σ x y with padding: [inputs][columns].
    std::vector<double> products(std::size_t outputs, std::size_t columns, int threads) const {
        std::vector<double> right(padded(inputs()) * columns);
        kernels::parallel_for(threads, inputs(), [&](std::size_t i) {
            const double mean_input = mean(i);
            for (std::size_t output = 0; output < outputs; ++output) {
                right[i * columns + output] =
                    samples.product(i, output) - mean_input * samples.product(inputs(), output);
            }
        });
        return right;
    }
};

}  // namespace

QuadraticError::QuadraticError(std::size_t inputs, kernels::Isa isa)
    : kernel_(kernels::select(kernels::column_products_kernels(), isa)),
      inputs_(inputs),
      padded_(padded(inputs)),
      moments_(padded_ * padded_),
      factor_(padded_ * padded_) {}

std::unique_ptr<QuadraticError> QuadraticError::of(const LeastSquares& samples, std::size_t outputs,
                                                   const ErrorTerms& terms, kernels::Isa isa, int threads) {
    const Moments moments = {samples, terms};
    std::unique_ptr<QuadraticError> error(new QuadraticError(moments.inputs(), isa));
    std::vector<double> matrix = moments.matrix();
    error->pack(matrix, true, threads, error->moments_);
    const Cholesky cholesky(error->kernel_, threads);
    const SquareMatrix square = {matrix.data(), error->padded_};
    if (!cholesky.factor(square)) return nullptr;
    error->pack(matrix, false, threads, error->factor_);

    const std::size_t columns = panels_of(outputs) * kernels::panel_columns;
    std::vector<double> right = moments.products(outputs, columns, threads);
    cholesky.solve(square, right, columns);
    const std::size_t inputs = moments.inputs();
    error->best_change_.resize(outputs * inputs);
    kernels::parallel_for(threads, outputs, [&](std::size_t output) {
        for (std::size_t i = 0; i < inputs; ++i) {
            error->best_change_[output * inputs + i] = static_cast<float>(right[i * columns + output]);
        }
    });
    return error;
}

void QuadraticError::pack(std::span<const double> lower, bool symmetric, int threads,
                          std::vector<float>& packed) const {
    kernels::parallel_for(threads, padded_, [&](std::size_t row) {
        for (std::size_t column = 0; column <= row; ++column) {
            const auto value = static_cast<float>(lower[row * padded_ + column]);
            packed[place(row, column)] = value;
            if (symmetric) packed[place(column, row)] = value;
        }
    });
}

void QuadraticError::add_block(const std::vector<float>& matrix, std::size_t index, std::size_t columns,
                               std::span<const float> values, std::size_t lanes, double* sums) const {
    const std::size_t panels = columns / kernels::panel_columns;
    kernel_.run({.samples = block,
                 .left_panels = panels,
                 .right_panels = lanes / kernels::panel_columns,
                 .left = matrix.data() + index * block * padded_,
                 .right = values.data(),
                 .sums = sums,
                 .stride = lanes},
                0, panels);
}

}  // namespace vgg19::converter
