#include "kernels/winograd_int8/schedule.h"

#include <cstdint>

namespace vgg19::kernels {

namespace {

using Run = WinogradRun<std::uint8_t, std::int32_t, WinogradInt8Steps, WinogradInt8>;

WinogradWork work_of(const WinogradInt8& problem, const Machine& machine, std::size_t lanes) {
    const double positions = real(problem.positions());
    const double pixels = real(problem.tile_side() * problem.tile_side());
    const double input_channels = real(problem.input_blocks() * WinogradInt8::line_channels);
    const double output_channels = real(problem.padded_output_channels());
    // Register operations for each position, of a register of bytes and of a vector of sums.
    constexpr double input_operations = 8;
    constexpr double output_operations = 3.5;
    const double registers = input_channels / real(4 * lanes);
    const double vectors = output_channels / real(lanes);
    constexpr std::size_t channels_of_tall_tiles = 256;
    const bool is_tall = lanes == 16 && problem.input_channels >= channels_of_tall_tiles;
    return {.tiles = problem.tiles(),
            .positions = problem.positions(),
            .input_blocks = problem.input_blocks(),
            .groups = problem.groups(),
            .filter_bytes = real(problem.packed_size()),
            .input_bytes = pixels * input_channels,
            .output_bytes = (problem.pool ? pixels / 4 : pixels) * output_channels,
            .transformed_bytes = positions * input_channels,
            .product_bytes = positions * output_channels * sizeof(std::int32_t),
            .input_cycles = positions * registers * input_operations / machine.vector_operations,
            .output_cycles = positions * vectors * output_operations / machine.vector_operations,
            .products = {.most_rows = is_tall ? std::size_t{14} : std::size_t{6},
                         .vectors = real(WinogradInt8::group_channels / lanes),
                         .steps = real(problem.input_quads()),
                         .rate = machine.dot_products,
                         .passes = 1}};
}

}  // namespace

std::string winograd_int8_kernel_name(const Kernel<const WinogradInt8Steps>& kernel, WinogradInt8Tile tile) {
    const std::string family = "winograd_int8";
    const char* name = tile == WinogradInt8Tile::f2x2 ? "_f2x2" : "_f4x4";
    return std::string(kernel.name).insert(family.size(), name);
}

WinogradSchedule winograd_int8_schedule(const WinogradInt8& problem, const Machine& machine,
                                        std::size_t lanes, int threads) {
    return fastest_winograd_schedule(work_of(problem, machine, lanes), machine, threads);
}

std::vector<Phase> winograd_int8_phases(const WinogradInt8& problem, const WinogradSchedule& schedule,
                                        const Machine& machine, std::size_t lanes) {
    return winograd_phases(work_of(problem, machine, lanes), schedule, machine);
}

std::size_t winograd_int8_scratch_size(const WinogradInt8& problem, const WinogradSchedule& schedule) {
    return Run({}, problem, schedule).scratch_bytes();
}

void winograd_int8_convolution(const WinogradInt8Steps& steps, const WinogradInt8& problem,
                               const WinogradSchedule& schedule, std::byte* scratch) {
    Run(steps, problem, schedule).run(scratch);
}

}  // namespace vgg19::kernels
