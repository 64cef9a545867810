// How a Winograd convolution, FP32 or INT8, is divided among threads, and into blocks that fit the caches.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "kernels/common/parallel.h"
#include "kernels/schedule/machine.h"
#include "kernels/schedule/work_clock.h"
#include "kernels/winograd/winograd.h"

namespace vgg19::kernels {

/// What the threads of a convolution divide among themselves.
enum class WinogradSplit : unsigned char {
    tiles,      ///< each task has a block of tiles, and all filters or those of a part of the channels
    positions,  ///< all threads work on the same block of tiles, step by step; of the products, each has some
                ///< positions and groups of channels, so that each filter is read once a block: for small
                ///< maps
};

struct WinogradSchedule {
    WinogradSplit split = WinogradSplit::tiles;
    std::size_t blocks = 1;  ///< blocks of tiles, of nearly equal size; not more than there are tiles
    int threads = 1;
    /// Split by positions: at most about this many tasks in each step, several for each thread, so that loads
    /// are equal where some threads are slower.
    std::size_t tasks = 8;
    /// Split by tiles: the groups of output channels are divided into so many parts. A task is a block and a
    /// part: it transforms the block's input itself, and reads its part of the filters alone.
    std::size_t channel_parts = 1;
};

/// How many tasks each step has for so many threads.
constexpr std::size_t winograd_tasks(int threads) {
    return 8 * static_cast<std::size_t>(threads);
}

/// The matrix products of one position and group, as register tiles of `rows` tiles × `vectors` of channels.
struct WinogradProductWork {
    std::size_t most_rows = 1;
    double vectors = 2;
    double steps = 0;   ///< along the sum: input channels, or quads of them
    double rate = 1;    ///< instructions per cycle: Machine::multiply_adds or dot_products
    double passes = 1;  ///< each of which reads or writes the sums in memory

    /// Cycles of one core with data in its L1 cache.
    double cycles(std::size_t tiles) const;
};

/// What the expected time of a schedule depends on.
struct WinogradWork {
    std::size_t tiles = 0;
    std::size_t positions = 0;
    std::size_t input_blocks = 0;
    std::size_t groups = 0;
    double filter_bytes = 0;  ///< all packed filters
    // Bytes of one tile:
    double input_bytes = 0;        ///< of the map, all channels
    double output_bytes = 0;       ///< of the map after the pool, all channels
    double transformed_bytes = 0;  ///< of V, all positions and channels
    double product_bytes = 0;      ///< of M, all positions and groups
    // Cycles of one core with data in its L1 cache, for one tile:
    double input_cycles = 0;   ///< the input transform, all channels
    double output_cycles = 0;  ///< the output transform, all groups
    WinogradProductWork products;
};

/// The work of a schedule as the cost model counts it: one phase for a split by tiles, three for each block
/// of a split by positions.
std::vector<Phase> winograd_phases(const WinogradWork& work, const WinogradSchedule& schedule,
                                   const Machine& machine);

/// The schedule with the least expected time, for scratch memory of no more than a bound that does not depend
/// on the batch.
WinogradSchedule fastest_winograd_schedule(const WinogradWork& work, const Machine& machine, int threads);

/// Runs a family's steps according to a schedule. `Transformed` and `Product` are the element types of V and
/// M; Problem::transformed_size(tiles) and product_size(extent) give their sizes.
template <class Transformed, class Product, class Steps, class Problem>
class WinogradRun {
  public:
    WinogradRun(const Steps& steps, const Problem& problem, const WinogradSchedule& schedule)
        : steps_(steps),
          problem_(problem),
          schedule_(schedule),
          threads_(static_cast<std::size_t>(schedule.threads)) {
        const std::size_t tiles = blocks_of(problem.tiles(), schedule.blocks);
        const std::size_t groups = schedule.split == WinogradSplit::tiles ? 1 : problem.groups();
        transformed_bytes_ = whole_lines<Transformed>(problem.transformed_size(tiles));
        product_bytes_ = whole_lines<Product>(problem.product_size({{0, tiles}, {0, groups}}));
    }

    std::size_t scratch_bytes() const {
        const std::size_t copies = schedule_.split == WinogradSplit::tiles ? threads_ : 1;
        return copies * (transformed_bytes_ + product_bytes_);
    }

    /// `scratch` is aligned to 64 bytes.
    void run(std::byte* scratch) const {
        if (schedule_.split == WinogradSplit::tiles) {
            share_tiles(scratch);
        } else {
            share_positions(scratch);
        }
    }

  private:
    template <class Value>
    static std::size_t whole_lines(std::size_t values) {
        constexpr std::size_t line = 64;
        return (values * sizeof(Value) + line - 1) / line * line;
    }

    TileRange block_of_tiles(std::size_t block) const {
        const Range range = part_of(problem_.tiles(), schedule_.blocks, block);
        return {range.begin, range.end};
    }

    void transform_input(const WinogradExtent& extent, TileRange tiles, IndexRange blocks,
                         Transformed* transformed) const {
        const WorkTimer timer(Work::input_transform);
        steps_.transform_input(problem_, extent, tiles, blocks, transformed);
    }

    void multiply(const WinogradExtent& extent, IndexRange positions, IndexRange groups,
                  const Transformed* transformed, Product* products) const {
        const WorkTimer timer(Work::products);
        steps_.multiply(problem_, extent, positions, groups, transformed, products);
    }

    void transform_output(const WinogradExtent& extent, TileRange tiles, IndexRange groups,
                          const Product* products) const {
        const WorkTimer timer(Work::output_transform);
        steps_.transform_output(problem_, extent, tiles, groups, products);
    }

    /// A thread has neighbouring tasks: blocks of the same part of the channels, whose filters it may find in
    /// its own cache again.
    void share_tiles(std::byte* scratch) const {
        const std::size_t tasks = schedule_.blocks * schedule_.channel_parts;
        parallel_workers(schedule_.threads, tasks, [&](std::size_t worker, std::size_t task) {
            std::byte* own = scratch + worker * (transformed_bytes_ + product_bytes_);
            auto* transformed = reinterpret_cast<Transformed*>(own);
            auto* products = reinterpret_cast<Product*>(own + transformed_bytes_);
            const TileRange tiles = block_of_tiles(task % schedule_.blocks);
            const Range part = part_of(problem_.groups(), schedule_.channel_parts, task / schedule_.blocks);
            transform_input({tiles, {}}, tiles, {0, problem_.input_blocks()}, transformed);
            for (std::size_t group = part.begin; group < part.end; ++group) {
                const WinogradExtent extent = {tiles, {group, group + 1}};
                multiply(extent, {0, problem_.positions()}, extent.groups, transformed, products);
                transform_output(extent, tiles, extent.groups, products);
            }
        });
    }

    void share_positions(std::byte* scratch) const {
        auto* transformed = reinterpret_cast<Transformed*>(scratch);
        auto* products = reinterpret_cast<Product*>(scratch + transformed_bytes_);
        for (std::size_t block = 0; block < schedule_.blocks; ++block) {
            const WinogradExtent extent = {block_of_tiles(block), {0, problem_.groups()}};
            share_tiles_and_channels(extent.tiles, problem_.input_blocks(),
                                     [&](TileRange tiles, IndexRange blocks) {
                                         transform_input(extent, tiles, blocks, transformed);
                                     });
            share_products(extent, transformed, products);
            share_tiles_and_channels(extent.tiles, problem_.groups(),
                                     [&](TileRange tiles, IndexRange groups) {
                                         transform_output(extent, tiles, groups, products);
                                     });
        }
    }

    /// A transform: calls step(tiles, channels) for parts of a grid of tiles × blocks or groups of channels.
    template <class Step>
    void share_tiles_and_channels(TileRange tiles, std::size_t channels, const Step& step) const {
        const std::size_t parts =
            std::min(tiles.size(), std::max<std::size_t>(schedule_.tasks / channels, 1));
        parallel_workers(schedule_.threads, channels * parts, [&](std::size_t, std::size_t task) {
            const Range part = part_of(tiles.size(), parts, task % parts);
            const std::size_t channel = task / parts;
            step({tiles.begin + part.begin, tiles.begin + part.end}, {channel, channel + 1});
        });
    }

    /// Tasks are runs of groups within as few positions as possible, so that a thread keeps V of a position
    /// in its cache.
    void share_products(const WinogradExtent& extent, const Transformed* transformed,
                        Product* products) const {
        const std::size_t groups = problem_.groups();
        const std::size_t items = problem_.positions() * groups;
        const std::size_t tasks = std::min(items, schedule_.tasks);
        parallel_workers(schedule_.threads, tasks, [&](std::size_t, std::size_t task) {
            const Range part = part_of(items, tasks, task);
            for (std::size_t item = part.begin; item < part.end;) {
                const std::size_t position = item / groups;
                const std::size_t end = std::min((position + 1) * groups, part.end);
                multiply(extent, {position, position + 1},
                         {item - position * groups, end - position * groups}, transformed, products);
                item = end;
            }
        });
    }

    Steps steps_;  // a few pointers to functions
    const Problem& problem_;
    WinogradSchedule schedule_;
    std::size_t threads_;
    std::size_t transformed_bytes_ = 0;
    std::size_t product_bytes_ = 0;
};

}  // namespace vgg19::kernels
