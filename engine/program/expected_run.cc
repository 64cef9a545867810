#include "engine/program/expected_run.h"

#include <algorithm>
#include <span>

namespace vgg19 {

namespace {

layers::Work moving_work(const Step& step, const layers::Execution& execution) {
    const std::size_t blocks =
        execution.batch * kernels::blocks_of(step.input.channels, execution.channel_block());
    return layers::moving_work(blocks, static_cast<double>(step.input.bytes(execution)),
                               static_cast<double>(step.output.bytes(execution)), execution);
}

layers::Work work_of(const Plan& plan, const Step& step, const layers::Execution& execution) {
    switch (step.kind) {
        case StepKind::convolution: {
            const PlannedConvolution& planned = plan.convolutions[step.layer];
            return layers::convolution_work(planned.algorithm(), planned.shape, execution);
        }
        case StepKind::dense:
            return layers::dense_work(plan.dense_weights[step.layer - plan.convolutions.size()],
                                      step.input.values(), step.output.values(), execution);
        case StepKind::max_pool:
        case StepKind::quantization:
        case StepKind::average_pool:
        case StepKind::flatten:
        case StepKind::output:
        case StepKind::relu:
        case StepKind::average_pool_2x2:
        case StepKind::softmax:
            return moving_work(step, execution);
    }
    return {};
}

ExpectedStep expected_step(const Plan& plan, const Step& step) {
    const layers::Execution& execution = plan.execution;
    const layers::Work work = work_of(plan, step, execution);
    ExpectedStep expected{
        .text = step.text(), .kind = step.kind, .schedule = work.schedule, .time = work.time(execution)};
    double longest = -1;
    for (const kernels::Phase& phase : work.phases) {
        for (std::size_t level = 0; level < kernels::level_count; ++level) {
            expected.bytes[level] += phase.bytes[level];
        }
        const double seconds =
            kernels::expected_seconds(execution.cpu(), std::span(&phase, 1), execution.threads);
        if (seconds > longest) {
            longest = seconds;
            expected.tasks = phase.tasks;
        }
    }
    layers::Execution alone = execution;
    alone.threads = 1;
    expected.one_thread_seconds = work_of(plan, step, alone).time(alone).seconds;
    return expected;
}

void add(ExpectedTotal& total, const ExpectedStep& step) {
    total.seconds += step.time.seconds;
    total.one_thread_seconds += step.one_thread_seconds;
}

}  // namespace

layers::Work step_work(const Plan& plan, const Step& step) {
    return work_of(plan, step, plan.execution);
}

ExpectedRun expected_run(const Plan& plan) {
    ExpectedRun run;
    for (const Step& step : plan.steps) {
        run.steps.push_back(expected_step(plan, step));
        const bool is_dense = step.kind == StepKind::dense;
        add(is_dense ? run.dense_layers : run.convolutions, run.steps.back());
        add(run.all, run.steps.back());
    }
    return run;
}

}  // namespace vgg19
