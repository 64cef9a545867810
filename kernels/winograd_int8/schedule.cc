#include "kernels/winograd_int8/schedule.h"

#include <cstdint>

namespace vgg19::kernels {

namespace {

using Run = WinogradRun<std::uint8_t, std::int32_t, WinogradInt8Steps, WinogradInt8>;

double real(std::size_t value) {
    return static_cast<double>(value);
}

WinogradWork work_of(const WinogradInt8& problem, const Machine& machine) {
    constexpr double positions = winograd_int8_positions;
    constexpr double pixels = 4;
    const double input_channels = real(problem.input_blocks() * int8_channel_block);
    const double output_channels = real(problem.padded_output_channels());
    // Register operations for each value of V and of M.
    constexpr double input_operations = 0.15;
    constexpr double output_operations = 0.25;
    return {.tiles = problem.tiles(),
            .positions = problem.positions(),
            .input_blocks = problem.input_blocks(),
            .groups = problem.groups(),
            .filter_bytes = real(problem.packed_size()),
            .input_bytes = pixels * input_channels,
            .output_bytes = (problem.pool ? 1 : pixels) * output_channels,
            .transformed_bytes = positions * input_channels,
            .product_bytes = positions * output_channels * sizeof(std::int32_t),
            .input_cycles = positions * input_channels * input_operations / machine.vector_operations,
            .output_cycles = positions * output_channels * output_operations / machine.vector_operations,
            .products = {.most_rows = 6,
                         .vectors = 2,
                         .steps = real(problem.input_quads()),
                         .rate = machine.dot_products,
                         .passes = 1}};
}

}  // namespace

WinogradSchedule winograd_int8_schedule(const WinogradInt8& problem, const Machine& machine, int threads) {
    return fastest_winograd_schedule(work_of(problem, machine), machine, threads);
}

std::vector<Phase> winograd_int8_phases(const WinogradInt8& problem, const WinogradSchedule& schedule,
                                        const Machine& machine) {
    return winograd_phases(work_of(problem, machine), schedule, machine);
}

std::size_t winograd_int8_scratch_size(const WinogradInt8& problem, const WinogradSchedule& schedule) {
    return Run({}, problem, schedule).scratch_bytes();
}

void winograd_int8_convolution(const WinogradInt8Steps& steps, const WinogradInt8& problem,
                               const WinogradSchedule& schedule, std::byte* scratch) {
    Run(steps, problem, schedule).run(scratch);
}

}  // namespace vgg19::kernels
