#include <benchmark/benchmark.h>

#include <algorithm>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/testing/vgg19_shapes.h"
#include "kernels/training/winograd_gradient/winograd_gradient.h"

namespace vgg19::kernels {

namespace {

AlignedBuffer ones(std::size_t count) {
    AlignedBuffer buffer(count * sizeof(float));
    std::fill_n(buffer.as<float>(), count, 1.0F);
    return buffer;
}

/// A batch of eight, with the tile that would be chosen for it.
void winograd_gradient_bench(benchmark::State& state, const Kernel<const WinogradGradientSteps>& kernel) {
    constexpr std::size_t batch = 8;
    const ConvolutionShape shape = shape_of(state);
    const std::size_t block = channel_block(kernel.isa);
    const AlignedBuffer input =
        ones(blocked_size(batch, shape.input_channels, shape.side, shape.side, block));
    const AlignedBuffer gradient =
        ones(blocked_size(batch, shape.output_channels, shape.side, shape.side, block));
    AlignedBuffer weights_gradient = ones(shape.input_channels * shape.output_channels * 9);
    AlignedBuffer bias_gradient = ones(shape.output_channels);
    WinogradGradient problem{.forward = {.batch = batch,
                                         .input_channels = shape.input_channels,
                                         .output_channels = shape.output_channels,
                                         .height = shape.side,
                                         .width = shape.side,
                                         .block = block,
                                         .input = input.as<float>()},
                             .output_gradient = gradient.as<float>(),
                             .weights_gradient = weights_gradient.as<float>(),
                             .bias_gradient = bias_gradient.as<float>()};
    problem.forward.tile = winograd_gradient_tile(problem.forward);
    AlignedBuffer scratch(winograd_gradient_scratch_size(problem) * sizeof(float));
    while (state.KeepRunning()) {
        winograd_gradient(problem, kernel.isa, threads_of(state), scratch.as<float>());
    }
    count_operations(state, batch * shape.operations(), static_cast<double>(problem.forward.operations()));
}

[[maybe_unused]] const bool registered = [] {
    for (const auto& kernel : winograd_gradient_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        add_vgg19_shapes(benchmark::RegisterBenchmark(kernel.name, winograd_gradient_bench, kernel), 4);
    }
    return true;
}();

}  // namespace

}  // namespace vgg19::kernels
