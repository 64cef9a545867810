#include "kernels/winograd/schedule.h"

#include "kernels/common/parallel.h"

namespace vgg19::kernels {

namespace {

TileRange block_of_tiles(const Winograd& problem, const WinogradSchedule& schedule, std::size_t block) {
    const Range range = part_of(problem.tiles(), schedule.blocks, block);
    return {range.begin, range.end};
}

void share_tiles(const WinogradSteps& steps, const Winograd& problem, const WinogradSchedule& schedule,
                 float* scratch) {
    const auto threads = static_cast<std::size_t>(schedule.threads);
    const std::size_t largest = schedule.largest_block(problem);
    const std::size_t transformed_size = problem.transformed_size(largest);
    const std::size_t own_size = transformed_size + problem.multiply_size(largest);
    parallel_for(schedule.threads, threads, [&](std::size_t thread) {
        float* transformed = scratch + thread * own_size;
        float* memory = transformed + transformed_size;
        const Range blocks = part_of(schedule.blocks, threads, thread);
        for (std::size_t block = blocks.begin; block < blocks.end; ++block) {
            const TileRange tiles = block_of_tiles(problem, schedule, block);
            steps.transform_input(problem, tiles, 0, problem.input_blocks(), transformed);
            for (std::size_t group = 0; group < problem.groups(); ++group) {
                steps.multiply(problem, tiles, group, transformed, memory);
            }
        }
    });
}

void share_channels(const WinogradSteps& steps, const Winograd& problem, const WinogradSchedule& schedule,
                    float* scratch) {
    const auto threads = static_cast<std::size_t>(schedule.threads);
    const std::size_t largest = schedule.largest_block(problem);
    const std::size_t multiply_size = problem.multiply_size(largest);
    float* transformed = scratch + threads * multiply_size;
    for (std::size_t block = 0; block < schedule.blocks; ++block) {
        const TileRange tiles = block_of_tiles(problem, schedule, block);
        parallel_for(schedule.threads, problem.input_blocks(), [&](std::size_t input_block) {
            steps.transform_input(problem, tiles, input_block, input_block + 1, transformed);
        });
        parallel_for(schedule.threads, threads, [&](std::size_t thread) {
            const Range groups = part_of(problem.groups(), threads, thread);
            for (std::size_t group = groups.begin; group < groups.end; ++group) {
                steps.multiply(problem, tiles, group, transformed, scratch + thread * multiply_size);
            }
        });
    }
}

}  // namespace

std::size_t winograd_scratch_size(const Winograd& problem, const WinogradSchedule& schedule) {
    const auto threads = static_cast<std::size_t>(schedule.threads);
    const std::size_t largest = schedule.largest_block(problem);
    const std::size_t copies = schedule.split == WinogradSplit::tiles ? threads : 1;
    return threads * problem.multiply_size(largest) + copies * problem.transformed_size(largest);
}

void winograd_convolution(const WinogradSteps& steps, const Winograd& problem,
                          const WinogradSchedule& schedule, float* scratch) {
    if (schedule.split == WinogradSplit::tiles) {
        share_tiles(steps, problem, schedule, scratch);
    } else {
        share_channels(steps, problem, schedule, scratch);
    }
}

void winograd_pack(const WinogradSteps& steps, const Winograd& problem, int threads, const float* weights,
                   float* packed) {
    parallel_for(threads, problem.groups(),
                 [&](std::size_t group) { steps.pack_weights(problem, group, weights, packed); });
}

}  // namespace vgg19::kernels
