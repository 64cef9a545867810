// Checks the planner's cost model against measurements.
#pragma once

#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/peaks.h"
#include "bench/report.h"
#include "engine/program/plan.h"
#include "kernels/schedule/machine.h"

namespace vgg19::bench {

/// One way to compute one shape.
struct TuneResult {
    layers::ConvolutionAlgorithm algorithm{};
    bool chosen = false;             ///< whether the planner chooses it
    kernels::ExpectedTime expected;  ///< by the cost model
    double median_ms = 0;
    double min_ms = 0;
};

struct TunedShape {
    layers::ConvolutionShape shape;
    std::vector<TuneResult> results;  ///< the planner's choice comes first
    /// The median of the planner's choice relative to the fastest.
    double excess() const;
};

struct TuneReport {
    Machine machine;
    Build build;
    Peaks peaks;
    std::string cost_model;  ///< the name of the machine whose constants the cost model has
    int threads = 0;
    std::size_t batch = 1;
    std::vector<TunedShape> shapes;
};

/// Measures every way to compute each distinct convolution of a plan, in rounds of `seconds` in total per
/// shape. Between runs it reads enough memory to evict the filters from the caches, as the other layers of a
/// network would.
std::vector<TunedShape> tune(const Plan& plan, double seconds);

/// The report as text that ends with a newline. As JSON: {"schema_version": 1, "machine": {"name" (of the
/// cost model's constants), "isa", "threads", "cpu", …}, "build", "peaks", "batch", "shapes":
/// [{"input_channels", "output_channels", "height", "width", "type", "plain_input", "pool_follows",
/// "int8_follows", "results": [{"algorithm", "chosen", "expected_ms", "median_ms", "min_ms", "arithmetic_ms",
/// "l2_ms", "l3_ms", "memory_ms", "barrier_ms", "limit"}]}]}; the last six are parts of what is expected.
std::string tune_text(const TuneReport& report, Format format);

}  // namespace vgg19::bench
