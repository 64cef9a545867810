// Checks the planner's cost model against measurements.
#pragma once

#include <string>
#include <vector>

#include "engine/program/plan.h"

namespace vgg19::bench {

/// One way to compute one shape.
struct TuneResult {
    layers::ConvolutionAlgorithm algorithm{};
    bool chosen = false;     ///< whether the planner chooses it
    double expected_ms = 0;  ///< from the cost model and this machine's measured peak
    double median_ms = 0;
    double min_ms = 0;
};

struct TunedShape {
    layers::ConvolutionShape shape;
    std::vector<TuneResult> results;  ///< the planner's choice comes first
    /// The median of the planner's choice relative to the fastest.
    double excess() const;
};

/// Measures every way to compute each distinct convolution of a plan, in rounds of `seconds` in total per
/// shape. Between runs it reads enough memory to evict the filters from the caches, as the other layers of a
/// network would.
std::vector<TunedShape> tune(const Plan& plan, double seconds, double fp32_gflops);

std::string tune_text(const std::vector<TunedShape>& shapes);

}  // namespace vgg19::bench
