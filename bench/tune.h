// The planner's cost model, checked against measurements.
#pragma once

#include <string>
#include <vector>

#include "engine/program/plan.h"

namespace vgg19::bench {

/// One way to compute one shape.
struct TuneResult {
    layers::ConvolutionAlgorithm algorithm{};
    bool chosen = false;     ///< by the planner
    double expected_ms = 0;  ///< by the cost model and this machine's measured peak
    double median_ms = 0;
    double min_ms = 0;
};

struct TunedShape {
    layers::ConvolutionShape shape;
    std::vector<TuneResult> results;  ///< the planner's choice first
    /// The chosen way's median over the least of all.
    double excess() const;
};

/// Runs every way to compute each distinct convolution of a plan, in rounds for `seconds` a shape. Between
/// runs as many bytes are read as drive filters out of the caches, as the other layers of a network do.
std::vector<TunedShape> tune(const Plan& plan, double seconds, double fp32_gflops);

std::string tune_text(const std::vector<TunedShape>& shapes);

}  // namespace vgg19::bench
