#include "kernels/winograd/schedule.h"

namespace vgg19::kernels {

namespace {

using Run = WinogradRun<float, float, WinogradSteps, Winograd>;

/// Register operations of the transform of one block of a tile of rows × columns values to new_rows ×
/// new_columns: loads, one-dimensional transforms of columns and then of rows, and stores. The transform of n
/// values to m takes about n · m / 2 multiply-adds, and half as many others.
double transform_operations(double rows, double columns, double new_rows, double new_columns) {
    constexpr double of_values = 0.75;
    return rows * columns + new_rows * new_columns +
           of_values * (columns * rows * new_rows + new_rows * columns * new_columns);
}

WinogradWork work_of(const Winograd& problem, const Machine& machine) {
    const double rows = problem.tile.rows;
    const double columns = problem.tile.columns;
    const double positions = real(problem.positions());
    const double block_bytes = real(problem.block) * sizeof(float);
    const double input_blocks = real(problem.input_blocks());
    const double output_blocks = real(problem.output_blocks());
    constexpr double pool = 4;
    // Registers that do not fit are stored and loaded again.
    const double spilled = positions;
    return {.tiles = problem.tiles(),
            .positions = problem.positions(),
            .input_blocks = problem.input_blocks(),
            .groups = problem.groups(),
            .filter_bytes = real(problem.packed_size()) * sizeof(float),
            .input_bytes = rows * columns * block_bytes * input_blocks,
            .output_bytes = rows * columns * block_bytes * output_blocks / (problem.pool ? pool : 1),
            .transformed_bytes = positions * block_bytes * input_blocks,
            .product_bytes = positions * block_bytes * output_blocks,
            .input_cycles = input_blocks *
                            (transform_operations(rows + 2, columns + 2, rows + 2, columns + 2) + spilled) /
                            machine.vector_operations,
            .output_cycles = output_blocks *
                             (transform_operations(rows + 2, columns + 2, rows, columns) + spilled) /
                             machine.vector_operations,
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
