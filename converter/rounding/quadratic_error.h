// The squared error of a layer's outputs as a function of its weights.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "converter/refit/least_squares.h"
#include "kernels/isa/kernel_list.h"
#include "kernels/training/column_products/column_products.h"

namespace vgg19::converter {

/// How QuadraticError is made of samples.
struct ErrorTerms {
    bool centred = true;  ///< a bias of its own makes up for the mean error of each output
    double damping = 0;   ///< relative to the mean of H's diagonal; must be positive
};

/// For samples x of a layer's inputs and y of what is missing in its outputs, the error of an output's
/// weights w + d instead of w, and the cost of changes that the samples say little of, is
///
///   Σ_s (d · x_s − y_s)² + λ ‖d‖² = (d − c) · H · (d − c)ᵀ + what does not depend on d,
///
/// with H = Σ x xᵀ + λ (less the product of means, if `centred`) and the best change c = H⁻¹ Σ x y. Threads
/// may share it.
class QuadraticError {
  public:
    /// Inputs are handled in blocks of this number; H is padded to whole ones.
    static constexpr std::size_t block = 64;

    /// `samples` has the inputs and a constant as unknowns, and y as targets. Null if the damping is too
    /// small for the precision of its sums. Throws Error (failed) if they are not finite.
    static std::unique_ptr<QuadraticError> of(const LeastSquares& samples, std::size_t outputs,
                                              const ErrorTerms& terms, kernels::Isa isa, int threads);

    std::size_t inputs() const { return inputs_; }
    std::size_t padded_inputs() const { return padded_; }
    /// c, [outputs][inputs].
    std::span<const float> best_change() const { return best_change_; }

    /// The factor L of H = L · Lᵀ; column ≤ row. Its diagonal is positive.
    float factor(std::size_t row, std::size_t column) const { return at(factor_, row, column); }
    float moment(std::size_t row, std::size_t column) const { return at(moments_, row, column); }

    /// sums[j][lane] += Σ_k L[k][j] · values[k][lane] over the rows k of a block and all columns j of earlier
    /// blocks. `values` are [lanes / 16][block][16], sums [padded_inputs][lanes].
    void add_factor_block(std::size_t index, std::span<const float> values, std::size_t lanes,
                          double* sums) const {
        add_block(factor_, index, index * block, values, lanes, sums);
    }
    /// The same with H, for all columns.
    void add_moment_block(std::size_t index, std::span<const float> values, std::size_t lanes,
                          double* sums) const {
        add_block(moments_, index, padded_, values, lanes, sums);
    }

  private:
    QuadraticError(std::size_t inputs, kernels::Isa isa);
    /// Copies the lower half of a padded matrix, and of a symmetric one also the upper half.
    void pack(std::span<const double> lower, bool symmetric, int threads, std::vector<float>& packed) const;
    /// The row block, then panels of columns, as kernels/column_products reads them.
    std::size_t place(std::size_t row, std::size_t column) const {
        constexpr std::size_t panel = kernels::panel_columns;
        return (row / block * padded_ + column / panel * panel) * block + row % block * panel +
               column % panel;
    }
    float at(const std::vector<float>& matrix, std::size_t row, std::size_t column) const {
        return matrix[place(row, column)];
    }
    void add_block(const std::vector<float>& matrix, std::size_t index, std::size_t columns,
                   std::span<const float> values, std::size_t lanes, double* sums) const;

    kernels::Kernel<kernels::ColumnProductsFunction> kernel_;
    std::size_t inputs_;
    std::size_t padded_;
    std::vector<float> moments_;
    std::vector<float> factor_;
    std::vector<float> best_change_;
};

}  // namespace vgg19::converter
