#include "kernels/winograd_int8/schedule.h"

#include <algorithm>
#include <cstdint>

#include "kernels/common/cache_sizes.h"
#include "kernels/common/parallel.h"

namespace vgg19::kernels {

namespace {

TileRange block_of_tiles(const WinogradInt8& problem, const WinogradSchedule& schedule, std::size_t block) {
    const Range range = part_of(problem.tiles(), schedule.blocks, block);
    return {range.begin, range.end};
}

/// A block's memory: its products first, which must be aligned.
std::int32_t* products_at(std::byte* scratch) {
    return reinterpret_cast<std::int32_t*>(scratch);
}

std::uint8_t* transformed_at(std::byte* scratch) {
    return reinterpret_cast<std::uint8_t*>(scratch);
}

void share_tiles(const WinogradInt8Steps& steps, const WinogradInt8& problem,
                 const WinogradSchedule& schedule, std::byte* scratch) {
    const std::size_t largest = schedule.largest_block(problem);
    const std::size_t product_size = WinogradInt8::product_size(largest);
    const std::size_t own_size = product_size + problem.transformed_size(largest);
    parallel_workers(schedule.threads, schedule.blocks, [&](std::size_t worker, std::size_t block) {
        std::byte* own = scratch + worker * own_size;
        std::uint8_t* transformed = transformed_at(own + product_size);
        const TileRange tiles = block_of_tiles(problem, schedule, block);
        steps.transform_input(problem, tiles, 0, problem.input_blocks(), transformed);
        for (std::size_t group = 0; group < problem.groups(); ++group) {
            steps.multiply(problem, tiles, group, transformed, products_at(own));
        }
    });
}

void share_channels(const WinogradInt8Steps& steps, const WinogradInt8& problem,
                    const WinogradSchedule& schedule, std::byte* scratch) {
    const auto threads = static_cast<std::size_t>(schedule.threads);
    const std::size_t product_size = WinogradInt8::product_size(schedule.largest_block(problem));
    std::uint8_t* transformed = transformed_at(scratch + threads * product_size);
    for (std::size_t block = 0; block < schedule.blocks; ++block) {
        const TileRange tiles = block_of_tiles(problem, schedule, block);
        parallel_for(schedule.threads, problem.input_blocks(), [&](std::size_t input_block) {
            steps.transform_input(problem, tiles, input_block, input_block + 1, transformed);
        });
        parallel_workers(schedule.threads, problem.groups(), [&](std::size_t worker, std::size_t group) {
            steps.multiply(problem, tiles, group, transformed, products_at(scratch + worker * product_size));
        });
    }
}

}  // namespace

WinogradSchedule winograd_int8_schedule(const WinogradInt8& problem, int threads) {
    const std::size_t tiles = problem.tiles();
    // What is read again and again stays in half of the second-level cache; the rest is for what streams
    // through.
    constexpr std::size_t fewest_tiles = 12;  // with fewer, filters are read too often
    const auto blocks_for = [&](std::size_t bytes_of_tile) {
        const std::size_t tiles_in_cache =
            std::max(second_level_cache_bytes() / 2 / bytes_of_tile, fewest_tiles);
        return blocks_of(tiles, tiles_in_cache);
    };
    const std::size_t product_bytes =
        winograd_int8_positions * WinogradInt8::group_channels * sizeof(std::int32_t);
    // Threads that share tiles read all weights each; threads that share channels read all transformed tiles
    // each. Weights also come from further away.
    constexpr std::size_t distance = 4;
    if (problem.packed_size() > distance * problem.transformed_size(tiles)) {
        return {WinogradSplit::channels, blocks_for(product_bytes), threads};
    }
    const std::size_t transformed_bytes =
        winograd_int8_positions * problem.input_blocks() * int8_channel_block;
    // Each thread has the same number, where there are tiles for all: no block is empty.
    const auto count = static_cast<std::size_t>(threads);
    const std::size_t blocks = blocks_of(blocks_for(transformed_bytes + product_bytes), count) * count;
    return {WinogradSplit::tiles, std::min(blocks, tiles), threads};
}

std::size_t winograd_int8_scratch_size(const WinogradInt8& problem, const WinogradSchedule& schedule) {
    const auto threads = static_cast<std::size_t>(schedule.threads);
    const std::size_t largest = schedule.largest_block(problem);
    const std::size_t copies = schedule.split == WinogradSplit::tiles ? threads : 1;
    return threads * WinogradInt8::product_size(largest) + copies * problem.transformed_size(largest);
}

void winograd_int8_convolution(const WinogradInt8Steps& steps, const WinogradInt8& problem,
                               const WinogradSchedule& schedule, std::byte* scratch) {
    if (schedule.split == WinogradSplit::tiles) {
        share_tiles(steps, problem, schedule, scratch);
    } else {
        share_channels(steps, problem, schedule, scratch);
    }
}

}  // namespace vgg19::kernels
