#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/parallel.h"
#include "kernels/common/testing/vgg19_shapes.h"
#include "kernels/winograd_image/winograd_image.h"

namespace vgg19::kernels {

namespace {

AlignedBuffer floats(std::size_t count, float value) {
    AlignedBuffer buffer(count * sizeof(float));
    std::fill_n(buffer.as<float>(), count, value);
    return buffer;
}

void winograd_image(benchmark::State& state, const Kernel<WinogradImageFunction>& kernel, bool quantized) {
    const ConvolutionShape shape = shape_of(state);
    WinogradImage problem = {.input_channels = shape.input_channels,
                             .output_channels = shape.output_channels,
                             .height = shape.side,
                             .width = shape.side,
                             .block = channel_block(kernel.isa)};
    const std::vector<float> plain(shape.input_channels * shape.output_channels * 9, 0.01F);
    AlignedBuffer weights = floats(problem.packed_size(), 0);
    winograd_image_pack(problem, plain.data(), weights.as<float>());
    const AlignedBuffer input = floats(shape.input_channels * shape.side * shape.side, 1);
    const AlignedBuffer bias = floats(problem.output_blocks() * problem.block, 0.1F);
    AlignedBuffer output =
        floats(blocked_size(1, shape.output_channels, shape.side, shape.side, problem.block), 0);
    problem.input = input.as<float>();
    problem.weights = weights.as<float>();
    problem.bias = bias.as<float>();
    if (quantized) {
        problem.quantized_output =
            output.as<std::uint8_t>();  // its 8-bit blocks are no larger than FP32 ones
    } else {
        problem.output = output.as<float>();
    }
    const int threads = threads_of(state);
    const auto parts = static_cast<std::size_t>(threads);
    AlignedBuffer scratch = floats(parts * problem.scratch_size(), 0);
    while (state.KeepRunning()) {
        parallel_for(threads, parts, [&](std::size_t part) {
            const Range rows = part_of(problem.rows(), parts, part);
            kernel.run(problem, rows.begin, rows.end, scratch.as<float>() + part * problem.scratch_size());
        });
    }
    count_operations(state, shape.operations(), static_cast<double>(problem.operations()));
}

void register_bench(const Kernel<WinogradImageFunction>& kernel, bool quantized) {
    const std::string name = std::string(kernel.name) + (quantized ? "/8-bit" : "/fp32");
    auto* benchmark = benchmark::RegisterBenchmark(name.c_str(), winograd_image, kernel, quantized);
    for (const int threads : {1, available_cpus()}) {
        const ConvolutionShape& image = vgg19_shapes[0];
        benchmark->Args({static_cast<std::int64_t>(image.input_channels),
                         static_cast<std::int64_t>(image.output_channels),
                         static_cast<std::int64_t>(image.side), threads});
    }
    benchmark->ArgNames({"in", "out", "side", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime();
}

const bool registered = [] {
    for (const auto& kernel : winograd_image_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        for (const bool quantized : {false, true}) register_bench(kernel, quantized);
    }
    return true;
}();

}  // namespace

}  // namespace vgg19::kernels
