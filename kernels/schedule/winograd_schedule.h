// How a Winograd convolution, FP32 or INT8, is divided among threads, and into blocks that fit the caches.
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/common/parallel.h"
#include "kernels/winograd/winograd.h"

namespace vgg19::kernels {

/// What the threads of a convolution divide among themselves.
enum class WinogradSplit : unsigned char {
    tiles,     ///< each thread has its own blocks of tiles and reads all weights: for large maps
    channels,  ///< all threads work on the same block of tiles, each on some groups of output channels: for
               ///< small maps
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

/// Runs a family's steps according to a schedule. `Transformed` and `Product` are the element types of the
/// intermediate results; Problem::transformed_size(tiles) and product_size(tiles) give their sizes.
template <class Transformed, class Product, class Steps, class Problem>
class WinogradRun {
  public:
    WinogradRun(const Steps& steps, const Problem& problem, const WinogradSchedule& schedule)
        : steps_(steps),
          problem_(problem),
          schedule_(schedule),
          threads_(static_cast<std::size_t>(schedule.threads)),
          product_bytes_(whole_lines<Product>(problem.product_size(schedule.largest_block(problem)))),
          transformed_bytes_(
              whole_lines<Transformed>(problem.transformed_size(schedule.largest_block(problem)))) {}

    std::size_t scratch_bytes() const {
        const std::size_t copies = schedule_.split == WinogradSplit::tiles ? threads_ : 1;
        return threads_ * product_bytes_ + copies * transformed_bytes_;
    }

    /// `scratch` is aligned to 64 bytes.
    void run(std::byte* scratch) const {
        if (schedule_.split == WinogradSplit::tiles) {
            share_tiles(scratch);
        } else {
            share_channels(scratch);
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
            std::byte* own = scratch + worker * (product_bytes_ + transformed_bytes_);
            auto* products = reinterpret_cast<Product*>(own);
            auto* transformed = reinterpret_cast<Transformed*>(own + product_bytes_);
            const TileRange tiles = block_of_tiles(block);
            steps_.transform_input(problem_, tiles, 0, problem_.input_blocks(), transformed);
            for (std::size_t group = 0; group < problem_.groups(); ++group) {
                steps_.multiply(problem_, tiles, group, transformed, products);
            }
        });
    }

    void share_channels(std::byte* scratch) const {
        auto* transformed = reinterpret_cast<Transformed*>(scratch + threads_ * product_bytes_);
        for (std::size_t block = 0; block < schedule_.blocks; ++block) {
            const TileRange tiles = block_of_tiles(block);
            parallel_for(schedule_.threads, problem_.input_blocks(), [&](std::size_t input_block) {
                steps_.transform_input(problem_, tiles, input_block, input_block + 1, transformed);
            });
            parallel_workers(
                schedule_.threads, problem_.groups(), [&](std::size_t worker, std::size_t group) {
                    auto* products = reinterpret_cast<Product*>(scratch + worker * product_bytes_);
                    steps_.multiply(problem_, tiles, group, transformed, products);
                });
        }
    }

    Steps steps_;  // a few pointers to functions
    const Problem& problem_;
    WinogradSchedule schedule_;
    std::size_t threads_;
    std::size_t product_bytes_;
    std::size_t transformed_bytes_;
};

/// The schedule that suits this CPU's caches, for a problem with these sizes in bytes.
struct WinogradBytes {
    std::size_t packed;            ///< all filters
    std::size_t transformed;       ///< all tiles
    std::size_t tile_transformed;  ///< per tile, all input channels
    std::size_t tile_products;     ///< per tile, one group of output channels
    std::size_t cache;             ///< the part of the cache for data that is read repeatedly
};
inline WinogradSchedule winograd_schedule_of(const WinogradBytes& bytes, std::size_t tiles, int threads) {
    constexpr std::size_t fewest_tiles = 12;  // with fewer tiles, filters would be read too often
    const auto blocks_for = [&](std::size_t bytes_of_tile) {
        return blocks_of(tiles, std::max(bytes.cache / bytes_of_tile, fewest_tiles));
    };
    // Threads that share tiles read all weights each; threads that share channels read all transformed tiles
    // each. Weights also come from slower memory.
    constexpr std::size_t distance = 4;
    if (bytes.packed > distance * bytes.transformed) {
        return {WinogradSplit::channels, blocks_for(bytes.tile_products), threads};
    }
    // All threads get the same number of blocks, if there are enough tiles; no block is empty.
    const auto count = static_cast<std::size_t>(threads);
    const std::size_t blocks =
        blocks_of(blocks_for(bytes.tile_transformed + bytes.tile_products), count) * count;
    return {WinogradSplit::tiles, std::min(blocks, tiles), threads};
}

}  // namespace vgg19::kernels
