#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/testing/vgg19_shapes.h"
#include "kernels/conv_int8/conv_int8.h"

namespace vgg19::kernels {

namespace {

void conv_int8(benchmark::State& state, const Kernel<ConvInt8Function>& kernel) {
    const ConvolutionShape shape = shape_of(state);
    const int threads = threads_of(state);
    ConvInt8 problem = {.input_channels = shape.input_channels,
                        .output_channels = shape.output_channels,
                        .height = shape.side,
                        .width = shape.side};
    const auto size = [&](std::size_t channels) {
        return blocked_size(1, channels, shape.side, shape.side, int8_channel_block);
    };
    AlignedBuffer input(size(shape.input_channels));
    std::fill_n(input.as<std::uint8_t>(), input.size(), std::uint8_t{3});
    AlignedBuffer output(size(shape.output_channels));
    const std::vector<std::int8_t> plain(shape.input_channels * shape.output_channels * 9, std::int8_t{1});
    AlignedBuffer weights(conv_int8_packed_size(problem));
    conv_int8_pack(problem, 1, plain.data(), weights.as<std::int8_t>());
    const std::vector<float> multiplier(problem.padded_output_channels(), 0.001F);
    const std::vector<float> bias(problem.padded_output_channels(), 0.5F);
    AlignedBuffer scratch(conv_int8_scratch_size(problem, threads));
    problem.input = input.as<std::uint8_t>();
    problem.weights = weights.as<std::int8_t>();
    problem.multiplier = multiplier.data();
    problem.bias = bias.data();
    problem.output.quantized = output.as<std::uint8_t>();
    while (state.KeepRunning()) conv_int8_convolution(kernel, problem, threads, scratch.data());
    count_operations(state, shape.operations(), static_cast<double>(problem.operations()));
}

const bool registered = [] {
    for (const auto& kernel : conv_int8_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        add_vgg19_shapes(benchmark::RegisterBenchmark(kernel.name, conv_int8, kernel), 64);
    }
    return true;
}();

}  // namespace

}  // namespace vgg19::kernels
