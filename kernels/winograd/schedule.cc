#include "kernels/winograd/schedule.h"

#include <algorithm>

#include "kernels/common/cache_sizes.h"
#include "kernels/common/parallel.h"

namespace vgg19::kernels {

namespace {

TileRange block_of_tiles(const Winograd& problem, const WinogradSchedule& schedule, std::size_t block) {
    const Range range = part_of(problem.tiles(), schedule.blocks, block);
    return {range.begin, range.end};
}

void share_tiles(const WinogradSteps& steps, const Winograd& problem, const WinogradSchedule& schedule,
                 float* scratch) {
    const std::size_t largest = schedule.largest_block(problem);
    const std::size_t transformed_size = problem.transformed_size(largest);
    const std::size_t own_size = transformed_size + problem.product_size(largest);
    parallel_workers(schedule.threads, schedule.blocks, [&](std::size_t worker, std::size_t block) {
        float* transformed = scratch + worker * own_size;
        const TileRange tiles = block_of_tiles(problem, schedule, block);
        steps.transform_input(problem, tiles, 0, problem.input_blocks(), transformed);
        for (std::size_t group = 0; group < problem.groups(); ++group) {
            steps.multiply(problem, tiles, group, transformed, transformed + transformed_size);
        }
    });
}

void share_channels(const WinogradSteps& steps, const Winograd& problem, const WinogradSchedule& schedule,
                    float* scratch) {
    const auto threads = static_cast<std::size_t>(schedule.threads);
    const std::size_t largest = schedule.largest_block(problem);
    const std::size_t product_size = problem.product_size(largest);
    float* transformed = scratch + threads * product_size;
    for (std::size_t block = 0; block < schedule.blocks; ++block) {
        const TileRange tiles = block_of_tiles(problem, schedule, block);
        parallel_for(schedule.threads, problem.input_blocks(), [&](std::size_t input_block) {
            steps.transform_input(problem, tiles, input_block, input_block + 1, transformed);
        });
        parallel_workers(schedule.threads, problem.groups(), [&](std::size_t worker, std::size_t group) {
            steps.multiply(problem, tiles, group, transformed, scratch + worker * product_size);
        });
    }
}

}  // namespace

WinogradSchedule winograd_schedule(const Winograd& problem, int threads) {
    const std::size_t tiles = problem.tiles();
    const std::size_t group_channels = Winograd::group_blocks * problem.block;
    // What is read again and again stays in a quarter of the second-level cache; the rest is for what streams
    // through.
    constexpr std::size_t fewest_tiles = 12;  // that fill the largest register tile
    const std::size_t floats = second_level_cache_bytes() / 4 / sizeof(float) / problem.positions();
    const auto blocks_of = [&](std::size_t channels) {
        const std::size_t tiles_in_cache = std::max(floats / channels, fewest_tiles);
        return (tiles + tiles_in_cache - 1) / tiles_in_cache;
    };
    // Threads that share tiles read all weights each; threads that share channels read all transformed tiles
    // each. Weights also come from further away.
    constexpr std::size_t distance = 4;
    if (problem.packed_size() > distance * problem.transformed_size(tiles)) {
        return {WinogradSplit::channels, blocks_of(group_channels), threads};
    }
    const std::size_t blocks = blocks_of(problem.input_blocks() * problem.block + group_channels);
    // Each thread has the same number.
    const auto count = static_cast<std::size_t>(threads);
    return {WinogradSplit::tiles, (blocks + count - 1) / count * count, threads};
}

std::size_t winograd_scratch_size(const Winograd& problem, const WinogradSchedule& schedule) {
    const auto threads = static_cast<std::size_t>(schedule.threads);
    const std::size_t largest = schedule.largest_block(problem);
    const std::size_t copies = schedule.split == WinogradSplit::tiles ? threads : 1;
    return threads * problem.product_size(largest) + copies * problem.transformed_size(largest);
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
