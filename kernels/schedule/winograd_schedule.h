// How a Winograd convolution, FP32 or INT8, is divided among threads, and into blocks that fit the caches.
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/common/parallel.h"
#include "kernels/schedule/work_clock.h"
#include "kernels/winograd/winograd.h"

namespace vgg19::kernels {

/// What the threads of a convolution divide among themselves.
enum class WinogradSplit : unsigned char {
    tiles,      ///< each thread has its own blocks of tiles and reads all filters for each: for large maps
    positions,  ///< all threads work on the same block of tiles, step by step; of the products, each has some
                ///< positions and groups of channels, so that each filter is read once a block: for small
                ///< maps
};

struct WinogradSchedule {
    WinogradSplit split = WinogradSplit::tiles;
    std::size_t blocks = 1;  ///< blocks of tiles, of nearly equal size
    int threads = 1;

    template <class Problem>
    std::size_t largest_block(const Problem& problem) const {
        return (problem.tiles() + blocks - 1) / blocks;
    }
};

/// Runs a family's steps according to a schedule. `Transformed` and `Product` are the element types of V and
/// M; Problem::transformed_size(tiles) and product_size(extent) give their sizes.
template <class Transformed, class Product, class Steps, class Problem>
class WinogradRun {
  public:
    WinogradRun(const Steps& steps, const Problem& problem, const WinogradSchedule& schedule)
        : steps_(steps),
          problem_(problem),
          schedule_(schedule),
          threads_(static_cast<std::size_t>(schedule.threads)),
          transformed_bytes_(
              whole_lines<Transformed>(problem.transformed_size(schedule.largest_block(problem)))),
          product_bytes_(whole_lines<Product>(
              problem.product_size({{0, schedule.largest_block(problem)},
                                    {0, schedule.split == WinogradSplit::tiles ? 1 : problem.groups()}}))) {}

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

    void share_tiles(std::byte* scratch) const {
        parallel_workers(schedule_.threads, schedule_.blocks, [&](std::size_t worker, std::size_t block) {
            std::byte* own = scratch + worker * (transformed_bytes_ + product_bytes_);
            auto* transformed = reinterpret_cast<Transformed*>(own);
            auto* products = reinterpret_cast<Product*>(own + transformed_bytes_);
            const TileRange tiles = block_of_tiles(block);
            transform_input({tiles, {}}, tiles, {0, problem_.input_blocks()}, transformed);
            for (std::size_t group = 0; group < problem_.groups(); ++group) {
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
            share_parts_of_tiles(extent.tiles, problem_.input_blocks(),
                                 [&](TileRange tiles, IndexRange blocks) {
                                     transform_input(extent, tiles, blocks, transformed);
                                 });
            share_products(extent, transformed, products);
            share_parts_of_tiles(extent.tiles, problem_.groups(), [&](TileRange tiles, IndexRange groups) {
                transform_output(extent, tiles, groups, products);
            });
        }
    }

    /// Enough tasks for equal loads where some threads are slower, if there are so many.
    std::size_t most_tasks() const { return 8 * threads_; }

    /// A transform: calls step(tiles, channels) for parts of a grid of tiles × blocks or groups of channels.
    template <class Step>
    void share_parts_of_tiles(TileRange tiles, std::size_t channels, const Step& step) const {
        const std::size_t parts = std::min(tiles.size(), std::max<std::size_t>(most_tasks() / channels, 1));
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
        const std::size_t tasks = std::min(items, most_tasks());
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

    // The steps, with a clock for profiles.
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

    Steps steps_;  // a few pointers to functions
    const Problem& problem_;
    WinogradSchedule schedule_;
    std::size_t threads_;
    std::size_t transformed_bytes_;
    std::size_t product_bytes_;
};

/// The schedule that suits this CPU's caches, for a problem with these sizes in bytes.
struct WinogradBytes {
    std::size_t packed;            ///< all filters
    std::size_t tile_transformed;  ///< per tile, all input channels
    std::size_t tile_products;     ///< per tile, one group of output channels
    std::size_t cache;             ///< the part of the cache for data that is read repeatedly
};
inline WinogradSchedule winograd_schedule_of(const WinogradBytes& bytes, std::size_t tiles,
                                             std::size_t groups, int threads) {
    // Threads that share tiles read all filters for each block; those that share positions write and read V
    // and M of all tiles. Filters also come from slower memory.
    constexpr std::size_t distance = 4;
    if (bytes.packed > distance * tiles * bytes.tile_transformed) {
        constexpr std::size_t most_bytes = std::size_t{16} << 20U;
        return {WinogradSplit::positions,
                blocks_of(tiles * (bytes.tile_transformed + groups * bytes.tile_products), most_bytes),
                threads};
    }
    constexpr std::size_t fewest_tiles = 12;  // with fewer tiles, filters would be read too often
    const std::size_t block =
        std::max(bytes.cache / (bytes.tile_transformed + bytes.tile_products), fewest_tiles);
    // All threads get the same number of blocks, if there are enough tiles; no block is empty.
    const auto count = static_cast<std::size_t>(threads);
    return {WinogradSplit::tiles, std::min(blocks_of(blocks_of(tiles, block), count) * count, tiles),
            threads};
}

}  // namespace vgg19::kernels
