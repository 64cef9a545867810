#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/parallel.h"
#include "kernels/common/testing/vgg19_shapes.h"
#include "kernels/winograd/winograd.h"

namespace vgg19::kernels {

namespace {

AlignedBuffer floats(std::size_t count, float value) {
    AlignedBuffer buffer(count * sizeof(float));
    std::fill_n(buffer.as<float>(), count, value);
    return buffer;
}

/// A layer with its data.
struct Layer {
    Layer(const ConvolutionShape& shape, const Kernel<const WinogradSteps>& kernel, WinogradTile tile)
        : problem{.tile = tile,
                  .input_channels = shape.input_channels,
                  .output_channels = shape.output_channels,
                  .height = shape.side,
                  .width = shape.side,
                  .block = channel_block(kernel.isa)},
          input(floats(blocked_size(1, shape.input_channels, shape.side, shape.side, problem.block), 1)),
          weights(floats(problem.packed_size(), 0)),
          bias(floats(problem.output_blocks() * problem.block, 0.1F)),
          output(floats(blocked_size(1, shape.output_channels, shape.side, shape.side, problem.block), 0)) {
        const std::vector<float> plain(shape.input_channels * shape.output_channels * 9, 0.01F);
        for (std::size_t group = 0; group < problem.groups(); ++group) {
            kernel.run->pack_weights(problem, group, plain.data(), weights.as<float>());
        }
        problem.input = input.as<float>();
        problem.weights = weights.as<float>();
        problem.bias = bias.as<float>();
        problem.output = output.as<float>();
    }

    Winograd problem;
    AlignedBuffer input;
    AlignedBuffer weights;
    AlignedBuffer bias;
    AlignedBuffer output;
};

/// Deals out tiles to threads, each of which takes its own in blocks that all channels are computed of at
/// once.
class TileDriver {
  public:
    TileDriver(const Winograd& problem, int threads) : threads_(static_cast<std::size_t>(threads)) {
        constexpr std::size_t most_tiles = 24;
        block_tiles_ = std::min(most_tiles, (problem.tiles() + threads_ - 1) / threads_);
        for (std::size_t thread = 0; thread < threads_; ++thread) {
            transformed_.emplace_back(problem.transformed_size(block_tiles_) * sizeof(float));
            products_.emplace_back(problem.product_size(block_tiles_) * sizeof(float));
        }
    }

    void run(const Winograd& problem, const WinogradSteps& steps) {
        parallel_for(static_cast<int>(threads_), threads_, [&](std::size_t thread) {
            const Range own = part_of(problem.tiles(), threads_, thread, block_tiles_);
            auto* transformed = transformed_[thread].as<float>();
            for (std::size_t begin = own.begin; begin < own.end; begin += block_tiles_) {
                const TileRange tiles = {begin, std::min(begin + block_tiles_, own.end)};
                steps.transform_input(problem, tiles, 0, problem.input_blocks(), transformed);
                for (std::size_t group = 0; group < problem.groups(); ++group) {
                    steps.multiply(problem, tiles, group, transformed, products_[thread].as<float>());
                }
            }
        });
    }

  private:
    std::size_t threads_;
    std::size_t block_tiles_;
    std::vector<AlignedBuffer> transformed_;
    std::vector<AlignedBuffer> products_;
};

void winograd(benchmark::State& state, const Kernel<const WinogradSteps>& kernel, WinogradTile tile) {
    const ConvolutionShape shape = shape_of(state);
    const Layer layer(shape, kernel, tile);
    const Winograd& problem = layer.problem;
    TileDriver driver(problem, threads_of(state));
    while (state.KeepRunning()) driver.run(problem, *kernel.run);
    // The products alone: what the transforms add is small, and less is better.
    const std::size_t products =
        problem.positions() * problem.tiles() * shape.input_channels * shape.output_channels;
    count_operations(state, shape.operations(), 2.0 * static_cast<double>(products));
}

const bool registered = [] {
    for (const auto& kernel : winograd_kernels()) {
        // The scalar kernel is there to be read.
        if (kernel.isa == Isa::scalar || !cpu_supports(kernel.isa)) continue;
        for (const WinogradTile tile : {WinogradTile::f2, WinogradTile::f4, WinogradTile::f6}) {
            const std::string name = std::string(kernel.name) + "/f" + std::to_string(static_cast<int>(tile));
            add_vgg19_shapes(benchmark::RegisterBenchmark(name.c_str(), winograd, kernel, tile), 64);
        }
    }
    return true;
}();

}  // namespace

}  // namespace vgg19::kernels
