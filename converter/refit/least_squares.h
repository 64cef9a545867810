// Linear least squares over many samples, which are read only once.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/isa/isa.h"
#include "kernels/training/column_products/column_products.h"

namespace vgg19::converter {

/// Finds the X (outputs × unknowns) that minimises Σ_s ‖target_s − X · row_s‖² + ridge · ‖X‖², using only
/// sums of products of rows and targets. The last unknown is the constant: it is 1 in every row, and the
/// ridge does not apply to it.
class LeastSquares {
  public:
    /// `threads` is used by add() and solve(); results do not depend on it.
    LeastSquares(std::size_t unknowns, std::size_t outputs, kernels::Isa isa, int threads);

    /// Rows are [samples][unknowns], targets [samples][outputs].
    void add(std::span<const float> rows, std::span<const float> targets);

    std::size_t samples() const { return samples_; }
    std::size_t unknowns() const { return unknowns_; }

    /// X, row by row. `ridge` is relative to the mean diagonal of the normal equations (the mean square of
    /// the unknowns times the number of samples). It must be positive; then there is exactly one solution,
    /// which stays near 0 if there are too few samples. Throws Error (failed) if the sums are not finite.
    std::vector<float> solve(double ridge) const;

    /// Σ_s row_s[i] · row_s[j] for j ≤ i.
    double moment(std::size_t i, std::size_t j) const { return moments_[i * moment_stride_ + j]; }
    /// Σ_s row_s[i] · target_s[output].
    double product(std::size_t i, std::size_t output) const {
        return products_[i * output_panels_ * kernels::panel_columns + output];
    }

  private:
    kernels::Kernel<kernels::ColumnProductsFunction> kernel_;
    int threads_;
    std::size_t unknowns_;
    std::size_t outputs_;
    std::size_t unknown_panels_;
    std::size_t output_panels_;
    std::size_t moment_stride_;
    std::size_t samples_ = 0;
    std::vector<double> moments_;   ///< rows × rows, the lower half
    std::vector<double> products_;  ///< rows × targets
    std::vector<float> row_panels_;
    std::vector<float> target_panels_;
};

}  // namespace vgg19::converter
