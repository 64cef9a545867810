#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>

#include "kernels/common/parallel.h"

namespace vgg19::kernels {

namespace {

using Clock = std::chrono::steady_clock;

void work(std::chrono::nanoseconds time) {
    const Clock::time_point end = Clock::now() + time;
    while (Clock::now() < end) {
    }
}

/// What it costs to start and to join a loop: its time less that of the tasks, of which each thread has four.
/// With a pause between loops, as long as in a forward pass.
void run_loops(benchmark::State& state) {
    const auto threads = static_cast<int>(state.range(0));
    const std::chrono::nanoseconds task = std::chrono::microseconds(state.range(1)) / 4;
    const std::chrono::microseconds pause(state.range(2));
    while (state.KeepRunning()) {
        work(pause);
        const Clock::time_point start = Clock::now();
        parallel_for(threads, 4 * static_cast<std::size_t>(threads), [&](std::size_t) { work(task); });
        const std::chrono::duration<double> seconds = Clock::now() - start;
        state.SetIterationTime(
            std::max(seconds - std::chrono::duration<double>(4 * task), std::chrono::duration<double>(0))
                .count());
    }
}

[[maybe_unused]] const auto* const parallel_loops =
    benchmark::RegisterBenchmark("parallel_for", run_loops) -> ArgNames({"threads", "task_us", "pause_us"})
        -> ArgsProduct({{2, std::max(available_cpus(), 8)}, {0, 5, 30}, {0, 10, 200}}) -> UseManualTime()
            -> Unit(benchmark::kMicrosecond);

}  // namespace

}  // namespace vgg19::kernels
