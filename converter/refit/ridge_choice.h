// Chooses the ridge of a least-squares solution by samples that are held out.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "converter/refit/least_squares.h"
#include "engine/layers/execution.h"

namespace vgg19::converter {

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
