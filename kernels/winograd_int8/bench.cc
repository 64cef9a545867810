#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/parallel.h"
#include "kernels/common/testing/vgg19_shapes.h"
#include "kernels/winograd_int8/schedule.h"

namespace vgg19::kernels {

namespace {

/// A layer with its data.
struct Layer {
    Layer(const ConvolutionShape& shape, WinogradInt8Tile tile)
        : problem{.tile = tile,
                  .input_channels = shape.input_channels,
                  .output_channels = shape.output_channels,
                  .height = shape.side,
                  .width = shape.side},
          input(blocked_size(1, shape.input_channels, shape.side, shape.side, int8_channel_block)),
          weights(problem.packed_size()),
          multiplier(problem.positions() * problem.padded_output_channels(), 1e-3F),
          bias(problem.padded_output_channels(), 0.1F),
          output(blocked_size(1, shape.output_channels, shape.side, shape.side, int8_channel_block)) {
        std::fill_n(input.as<std::uint8_t>(), input.size(), std::uint8_t{1});
        const std::vector<std::int8_t> plain(shape.input_channels * shape.output_channels * 9, 3);
        const std::vector<float> weight_scale(shape.output_channels, 0.01F);
        std::vector<float> filter_scale(multiplier.size());
        winograd_int8_pack(problem, 1, plain.data(), weight_scale.data(), weights.as<std::int8_t>(),
                           filter_scale.data());
        problem.input = input.as<std::uint8_t>();
        problem.input_multiplier.fill(tile == WinogradInt8Tile::f2x2 ? 256 : 4096);
        problem.weights = weights.as<std::int8_t>();
        problem.multiplier = multiplier.data();
        problem.bias = bias.data();
        problem.output.quantized = output.as<std::uint8_t>();
    }

    WinogradInt8 problem;
    AlignedBuffer input;
    AlignedBuffer weights;
    std::vector<float> multiplier;
    std::vector<float> bias;
    AlignedBuffer output;
};

void winograd_int8(benchmark::State& state, const Kernel<const WinogradInt8Steps>& kernel,
                   WinogradInt8Tile tile) {
    const ConvolutionShape shape = shape_of(state);
    const Layer layer(shape, tile);
    const WinogradSchedule schedule = winograd_int8_schedule(layer.problem, this_machine(kernel.isa),
                                                             channel_block(kernel.isa), threads_of(state));
    AlignedBuffer scratch(winograd_int8_scratch_size(layer.problem, schedule));
    while (state.KeepRunning()) {
        winograd_int8_convolution(*kernel.run, layer.problem, schedule, scratch.data());
    }
    count_operations(state, shape.operations(), static_cast<double>(layer.problem.operations()));
}

const bool registered = [] {
    for (const auto& kernel : winograd_int8_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        for (const WinogradInt8Tile tile : {WinogradInt8Tile::f2x2, WinogradInt8Tile::f4x4}) {
            const std::string name = winograd_int8_kernel_name(kernel, tile);
            add_vgg19_shapes(benchmark::RegisterBenchmark(name.c_str(), winograd_int8, kernel, tile), 64);
        }
    }
    return true;
}();

}  // namespace

}  // namespace vgg19::kernels
