#include <benchmark/benchmark.h>

#include "kernels/average_pool/average_pool.h"
#include "kernels/common/aligned_buffer.h"
#include "kernels/common/blocked_layout.h"

namespace vgg19::kernels {

namespace {

void run(benchmark::State& state, const Kernel<AveragePoolFunction>& kernel) {
    constexpr std::size_t channels = 512;
    constexpr std::size_t output_size = 7;
    const auto size = static_cast<std::size_t>(state.range(0));
    const std::size_t block = channel_block(kernel.isa);
    AlignedBuffer input(channels * size * size * sizeof(float));
    AlignedBuffer output(channels * output_size * output_size * sizeof(float));
    const AveragePool problem = {.channels = channels,
                                 .height = size,
                                 .width = size,
                                 .output_height = output_size,
                                 .output_width = output_size,
                                 .block = block,
                                 .input = input.as<float>(),
                                 .output = output.as<float>()};
    while (state.KeepRunning()) {
        kernel.run(problem, 0, channels / block);
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(input.size() + output.size()));
}

/// VGG-19's maps for inputs of 224×224, 160×160 and 448×448.
[[maybe_unused]] const bool registered = [] {
    for (const auto& kernel : average_pool_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        benchmark::RegisterBenchmark(kernel.name, run, kernel)->ArgName("size")->Arg(7)->Arg(5)->Arg(14);
    }
    return true;
}();

}  // namespace

}  // namespace vgg19::kernels
