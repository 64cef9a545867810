#include "kernels/winograd_int8/schedule.h"

#include <cstdint>

#include "kernels/common/cache_sizes.h"

namespace vgg19::kernels {

namespace {

using Run = WinogradRun<std::uint8_t, std::int32_t, WinogradInt8Steps, WinogradInt8>;

}  // namespace

std::string winograd_int8_kernel_name(const Kernel<const WinogradInt8Steps>& kernel, WinogradInt8Tile tile) {
    const std::string family = "winograd_int8";
    const char* name = tile == WinogradInt8Tile::f2x2 ? "_f2x2" : "_f4x4";
    return std::string(kernel.name).insert(family.size(), name);
}

WinogradSchedule winograd_int8_schedule(const WinogradInt8& problem, int threads) {
    // Half of the L2 cache is for data that is read repeatedly; the rest is for streamed data.
    return winograd_schedule_of(
        {.packed = problem.packed_size(),
         .tile_transformed = problem.positions() * problem.input_blocks() * WinogradInt8::line_channels,
         .tile_products = problem.positions() * WinogradInt8::group_channels * sizeof(std::int32_t),
         .cache = second_level_cache_bytes() / 2},
        problem.tiles(), problem.groups(), threads);
}

std::size_t winograd_int8_scratch_size(const WinogradInt8& problem, const WinogradSchedule& schedule) {
    return Run({}, problem, schedule).scratch_bytes();
}

void winograd_int8_convolution(const WinogradInt8Steps& steps, const WinogradInt8& problem,
                               const WinogradSchedule& schedule, std::byte* scratch) {
    Run(steps, problem, schedule).run(scratch);
}

}  // namespace vgg19::kernels
