#include <benchmark/benchmark.h>

#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/blocked_layout.h"
#include "kernels/common/parallel.h"
#include "kernels/conv_onednn/conv_onednn.h"

namespace vgg19::kernels {

namespace {

/// Arguments: input channels, output channels, height and width, threads.
void conv_onednn(benchmark::State& state, Isa isa) {
    const auto argument = [&](std::size_t index) { return static_cast<std::size_t>(state.range(index)); };
    const ConvOneDnnShape shape = {.input_channels = argument(0),
                                   .output_channels = argument(1),
                                   .height = argument(2),
                                   .width = argument(2),
                                   .plain_input = argument(0) == 3};
    const std::vector<float> weights(shape.input_channels * shape.output_channels * 9, 0.01F);
    const std::vector<float> bias(shape.output_channels, 0.1F);
    const ConvOneDnn convolution(shape, isa, static_cast<int>(state.range(3)), weights.data(), bias.data());
    const std::size_t block = channel_block(isa);
    const AlignedBuffer input(blocked_size(1, shape.input_channels, shape.height, shape.width, block) *
                              sizeof(float));
    AlignedBuffer output(blocked_size(1, shape.output_channels, shape.height, shape.width, block) *
                         sizeof(float));
    AlignedBuffer scratch(convolution.scratch_bytes());
    while (state.KeepRunning()) convolution.run(input.as<float>(), output.as<float>(), scratch.data());
    const double operations =
        2.0 * 9 *
        static_cast<double>(shape.input_channels * shape.output_channels * shape.height * shape.width);
    state.counters["FLOP/s"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
    state.SetLabel(convolution.implementation());
}

void vgg19_shapes(benchmark::internal::Benchmark* benchmark) {
    for (const int threads : {1, available_cpus()}) {
        for (const auto& [inputs, outputs, side] : {std::tuple{3, 64, 224},
                                                    {64, 64, 224},
                                                    {64, 128, 112},
                                                    {128, 128, 112},
                                                    {128, 256, 56},
                                                    {256, 256, 56},
                                                    {256, 512, 28},
                                                    {512, 512, 28},
                                                    {512, 512, 14}}) {
            benchmark->Args({inputs, outputs, side, threads});
        }
    }
    benchmark->Unit(benchmark::kMillisecond)->UseRealTime();
}

const bool registered = [] {
    for (const Isa isa : {Isa::avx2, Isa::avx512}) {
        if (!cpu_supports(isa)) continue;
        const std::string name = std::string("conv_onednn_") + isa_name(isa);
        vgg19_shapes(benchmark::RegisterBenchmark(name.c_str(), conv_onednn, isa));
    }
    return true;
}();

}  // namespace

}  // namespace vgg19::kernels
