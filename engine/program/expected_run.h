// What a plan is expected to take, step by step.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/layers/work.h"
#include "engine/program/plan.h"
#include "kernels/schedule/machine.h"

namespace vgg19 {

/// What a step does, on the plan's threads and machine.
layers::Work step_work(const Plan& plan, const Step& step);

/// A step on the plan's threads.
struct ExpectedStep {
    std::string text;  ///< as Step::text
    StepKind kind{};
    std::string schedule;   ///< how it is divided; may be ""
    std::size_t tasks = 1;  ///< of its longest phase, which threads share
    kernels::ExpectedTime time;
    double bytes[kernels::level_count] = {};  ///< read from each level, by all threads
    double one_thread_seconds = 0;            ///< with the schedule for one thread
};

/// Of some steps together.
struct ExpectedTotal {
    double seconds = 0;
    double one_thread_seconds = 0;
    double efficiency(int threads) const {
        return kernels::parallel_efficiency(one_thread_seconds, seconds, threads);
    }
};

struct ExpectedRun {
    std::vector<ExpectedStep> steps;  ///< one per step of the plan
    ExpectedTotal convolutions;       ///< with the pools and quantizations between them
    ExpectedTotal dense_layers;
    ExpectedTotal all;
};

/// For one run of the plan's batch, on its threads and its machine.
ExpectedRun expected_run(const Plan& plan);

}  // namespace vgg19
