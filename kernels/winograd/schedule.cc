#include "kernels/winograd/schedule.h"

#include "kernels/common/cache_sizes.h"

namespace vgg19::kernels {

namespace {

using Run = WinogradRun<float, float, WinogradSteps, Winograd>;

}  // namespace

WinogradSchedule winograd_schedule(const Winograd& problem, int threads) {
    const std::size_t position_bytes = problem.positions() * problem.block * sizeof(float);
    // A quarter of the L2 cache is for data that is read repeatedly; the rest is for streamed data.
    return winograd_schedule_of({.packed = problem.packed_size() * sizeof(float),
                                 .tile_transformed = position_bytes * problem.input_blocks(),
                                 .tile_products = position_bytes * Winograd::group_blocks,
                                 .cache = second_level_cache_bytes() / 4},
                                problem.tiles(), problem.groups(), threads);
}

std::size_t winograd_scratch_size(const Winograd& problem, const WinogradSchedule& schedule) {
    return Run({}, problem, schedule).scratch_bytes() / sizeof(float);
}

void winograd_convolution(const WinogradSteps& steps, const Winograd& problem,
                          const WinogradSchedule& schedule, float* scratch) {
    Run(steps, problem, schedule).run(reinterpret_cast<std::byte*>(scratch));
}

void winograd_pack(const WinogradSteps& steps, const Winograd& problem, int threads, const float* weights,
                   float* packed) {
    parallel_for(threads, problem.groups(),
                 [&](std::size_t group) { steps.pack_weights(problem, group, weights, packed); });
}

}  // namespace vgg19::kernels
