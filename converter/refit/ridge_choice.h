// Chooses the ridge of a least-squares solution by samples that are held out.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "converter/refit/least_squares.h"
#include "engine/layers/execution.h"

namespace vgg19::converter {

/// One image in eight is held out.
constexpr bool is_held_out_of_refit(std::size_t image) {
    constexpr std::size_t period = 8;
    return image % period == period - 1;
}

/// outputs[s] = weights · rows[s] + offset; weights are [offset.size()][row].
void multiply_rows(const layers::Execution& execution, std::span<const float> rows,
                   std::span<const float> weights, std::span<const float> offset, std::span<float> outputs);

struct RidgeChoice {
    std::vector<float> values;  ///< LeastSquares::solve; empty if no solution is an improvement
    double ridge = 0;
    double error = 1;  ///< squared error on the held-out samples, relative to that of zeros
};

/// Of a few ridges, the one whose solution fits the held-out samples best. `outputs` is the number of targets
/// of a sample.
RidgeChoice choose_ridge(const layers::Execution& execution, const LeastSquares& equations,
                         std::size_t outputs, std::span<const float> held_rows,
                         std::span<const float> held_targets);

}  // namespace vgg19::converter
