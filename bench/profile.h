// Where the time of a run goes, and what limits each step.
#pragma once

#include <cstddef>
#include <span>

#include "bench/peaks.h"
#include "bench/report.h"
#include "engine/program/expected_run.h"
#include "kernels/schedule/work_clock.h"
#include "vgg19/session.h"

namespace vgg19::bench {

/// What was measured of a step: medians of some runs.
struct StepSeconds {
    double whole = 0;
    kernels::WorkSeconds work;  ///< of all threads together
};

/// A step's time beside the peaks. `expected` is the same step's.
LayerTime layer_time(const PlanStep& step, const ExpectedStep& expected, std::size_t batch, int threads,
                     const StepSeconds& seconds, const Peaks& peaks);

/// Runs a session some times, on so many threads. `expected` is of the same plan.
Profile profile(Session& session, int threads, const ExpectedRun& expected, std::span<const float> input,
                std::span<float> logits, const Peaks& peaks);

}  // namespace vgg19::bench
