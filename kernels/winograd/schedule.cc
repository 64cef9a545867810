#include "kernels/winograd/schedule.h"

namespace vgg19::kernels {

namespace {

using Run = WinogradRun<float, float, WinogradSteps, Winograd>;

double real(std::size_t value) {
    return static_cast<double>(value);
}

/// Register operations of a tile's transform of one block, where the one-dimensional transform of n values to
/// m takes about n · m / 2, and half as much again for coefficients and constants: loads and stores, n
/// columns and m rows.
double transform_operations(double n, double m) {
    return 1.5 * (n * (n * m / 2) + m * (n * m / 2)) + n * n + m * m;
}

WinogradWork work_of(const Winograd& problem, const Machine& machine) {
    const double n = real(problem.input_side());
    const double m = real(problem.tile_side());
    const double block_bytes = real(problem.block) * sizeof(float);
    const double input_blocks = real(problem.input_blocks());
    const double output_blocks = real(problem.output_blocks());
    constexpr double pool = 4;
    // Registers that do not fit are stored and loaded again.
    const double spilled = n * n;
    return {
        .tiles = problem.tiles(),
        .positions = problem.positions(),
        .input_blocks = problem.input_blocks(),
        .groups = problem.groups(),
        .filter_bytes = real(problem.packed_size()) * sizeof(float),
        .input_bytes = m * m * block_bytes * input_blocks,
        .output_bytes = m * m * block_bytes * output_blocks / (problem.pool ? pool : 1),
        .transformed_bytes = n * n * block_bytes * input_blocks,
        .product_bytes = n * n * block_bytes * output_blocks,
        .input_cycles = input_blocks * (transform_operations(n, n) + spilled) / machine.vector_operations,
        .output_cycles = output_blocks * (transform_operations(n, m) + spilled) / machine.vector_operations,
        .products = {.most_rows = problem.block == 16 ? std::size_t{14} : std::size_t{6},
                     .vectors = real(Winograd::group_blocks),
                     .steps = input_blocks * real(problem.block),
                     .rate = machine.multiply_adds,
                     .passes = real(blocks_of(problem.input_channels, Winograd::chunk_channels))}};
}

}  // namespace

WinogradSchedule winograd_schedule(const Winograd& problem, const Machine& machine, int threads) {
    return fastest_winograd_schedule(work_of(problem, machine), machine, threads);
}

std::vector<Phase> winograd_phases(const Winograd& problem, const WinogradSchedule& schedule,
                                   const Machine& machine) {
    return winograd_phases(work_of(problem, machine), schedule, machine);
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
