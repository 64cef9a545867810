// The whole gradient: how the work is divided among threads.
#include "kernels/training/winograd_gradient/winograd_gradient.h"

#include <algorithm>
#include <array>

#include "kernels/common/parallel.h"

namespace vgg19::kernels {

namespace {

/// The number of tiles that are transformed before multiplying: enough that the products of a position take
/// longer than loading and storing its sums.
constexpr std::size_t tiles_at_once = 256;

std::size_t tile_blocks(const WinogradGradient& problem) {
    return blocks_of(problem.forward.tiles(), tiles_at_once);
}

std::size_t largest_tile_block(const WinogradGradient& problem) {
    return blocks_of(problem.forward.tiles(), tile_blocks(problem));
}

/// The offsets of the parts of the scratch memory.
struct Scratch {
    std::size_t gradient;
    std::size_t sums;
    std::size_t bias_sums;
    std::size_t end;

    explicit Scratch(const WinogradGradient& problem)
        : gradient(problem.forward.transformed_size(largest_tile_block(problem))),
          sums(gradient + problem.transformed_size(largest_tile_block(problem))),
          bias_sums(sums + problem.sums_size()),
          end(bias_sums + problem.output_lanes()) {}
};

}  // namespace

WinogradTile winograd_gradient_tile(Winograd forward) {
    // 6×6 tiles are no faster than 4×4 here, and less accurate.
    constexpr std::array candidates = {WinogradTile{2, 2}, WinogradTile{4, 4}, WinogradTile{5, 5}};
    // The cost of moving a position's sums, in units of one tile's products.
    constexpr std::size_t tiles_of_sums = 32;
    const auto cost = [&](WinogradTile tile) {
        forward.tile = tile;
        const std::size_t blocks = blocks_of(forward.tiles(), tiles_at_once);
        return forward.positions() * (forward.tiles() + tiles_of_sums * blocks);
    };
    return *std::min_element(candidates.begin(), candidates.end(),
                             [&](WinogradTile a, WinogradTile b) { return cost(a) < cost(b); });
}

std::size_t winograd_gradient_scratch_size(const WinogradGradient& problem) {
    return Scratch(problem).end;
}

void winograd_gradient(const WinogradGradient& problem, Isa isa, int threads, float* scratch) {
    const auto& winograd = *select(winograd_kernels(), isa).run;
    const auto& steps = *select(winograd_gradient_kernels(), isa).run;
    const Winograd& forward = problem.forward;
    const Scratch places(problem);
    float* const gradient = scratch + places.gradient;
    float* const sums = scratch + places.sums;
    float* const bias_sums = scratch + places.bias_sums;
    const std::size_t input_blocks = forward.input_blocks();
    const std::size_t groups = problem.groups();

    parallel_for(threads, forward.positions(), [&](std::size_t position) {
        const std::size_t size = problem.sums_size() / forward.positions();
        std::fill_n(sums + position * size, size, 0.0F);
    });
    std::fill_n(bias_sums, problem.output_lanes(), 0.0F);
    const std::size_t blocks = tile_blocks(problem);
    for (std::size_t block = 0; block < blocks; ++block) {
        const Range range = part_of(forward.tiles(), blocks, block);
        const TileRange tiles = {range.begin, range.end};
        parallel_workers(
            threads, input_blocks + forward.output_blocks(), [&](std::size_t, std::size_t index) {
                if (index < input_blocks) {
                    winograd.transform_input(forward, {tiles, {}}, tiles, {index, index + 1}, scratch);
                } else {
                    const std::size_t output = index - input_blocks;
                    steps.transform_gradient(problem, tiles, {output, output + 1}, gradient, bias_sums);
                }
            });
        parallel_workers(threads, forward.positions() * groups, [&](std::size_t, std::size_t index) {
            steps.multiply(problem, tiles.size(), index / groups, index % groups, scratch, gradient, sums);
        });
    }
    parallel_workers(threads, groups,
                     [&](std::size_t, std::size_t group) { steps.finish(problem, group, sums); });
    for (std::size_t o = 0; o < forward.output_channels; ++o) problem.bias_gradient[o] += bias_sums[o];
}

}  // namespace vgg19::kernels
