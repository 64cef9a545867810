#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/parallel.h"
#include "kernels/common/testing/vgg19_shapes.h"
#include "kernels/winograd/schedule.h"

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
        winograd_pack(*kernel.run, problem, 1, plain.data(), weights.as<float>());
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

void winograd(benchmark::State& state, const Kernel<const WinogradSteps>& kernel, WinogradTile tile) {
    const ConvolutionShape shape = shape_of(state);
    const Layer layer(shape, kernel, tile);
    const Winograd& problem = layer.problem;
    const WinogradSchedule schedule = winograd_schedule(problem, this_machine(kernel.isa), threads_of(state));
    AlignedBuffer scratch(winograd_scratch_size(problem, schedule) * sizeof(float));
    while (state.KeepRunning()) {
        winograd_convolution(*kernel.run, problem, schedule, scratch.as<float>());
    }
    count_operations(state, shape.operations(), static_cast<double>(problem.operations()));
}

const bool registered = [] {
    for (const auto& kernel : winograd_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        for (const WinogradTile tile : winograd_tiles) {
            const std::string name = std::string(kernel.name) + "/f" + std::to_string(tile.rows) + "x" +
                                     std::to_string(tile.columns);
            add_vgg19_shapes(benchmark::RegisterBenchmark(name.c_str(), winograd, kernel, tile), 64);
        }
    }
    return true;
}();

}  // namespace

}  // namespace vgg19::kernels
