#include "converter/refit/ridge_choice.h"

#include <utility>

#include "converter/refit/row_products.h"

namespace vgg19::converter {

namespace {

/// The candidates: larger ones suit few samples, smaller ones many. A finer choice would hardly change
/// results.
constexpr double ridges[] = {0.0003, 0.003, 0.03, 0.3};

}  // namespace

RidgeChoice choose_ridge(const layers::Execution& execution, const LeastSquares& equations,
                         std::size_t outputs, std::span<const float> held_rows,
                         std::span<const float> held_targets) {
    RidgeChoice best;
    const double plain = squared_sum(held_targets);
    std::vector<float> left(held_targets.size());
    const std::vector<float> no_offset(outputs);
    for (const double ridge : ridges) {
        std::vector<float> values = equations.solve(ridge);
        multiply_rows(execution, held_rows, values, no_offset, left);
        for (std::size_t i = 0; i < left.size(); ++i) left[i] -= held_targets[i];
        const double error = squared_sum(left) / plain;
        if (error < best.error) best = {std::move(values), ridge, error};
    }
    return best;
}

}  // namespace vgg19::converter
