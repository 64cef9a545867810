#include <benchmark/benchmark.h>

#include "kernels/common/aligned_buffer.h"
#include "kernels/quantize_blocked/quantize_blocked.h"

namespace vgg19::kernels {

namespace {

void run(benchmark::State& state, const Kernel<QuantizeBlockedFunction>& kernel) {
    const auto channels = static_cast<std::size_t>(state.range(0));
    const auto size = static_cast<std::size_t>(state.range(1));
    const std::size_t block = channel_block(kernel.isa);
    AlignedBuffer input(channels * size * size * sizeof(float));
    AlignedBuffer output(channels * size * size);
    const QuantizeBlocked problem = {.channels = channels,
                                     .height = size,
                                     .width = size,
                                     .block = block,
                                     .input = input.as<float>(),
                                     .inverse_scale = 50,
                                     .output = output.as<std::uint8_t>()};
    while (state.KeepRunning()) {
        kernel.run(problem, 0, problem.rows());
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(input.size() + output.size()));
}

/// The activations after VGG-19's first convolution and its pools, at 224×224.
[[maybe_unused]] const bool registered = [] {
    for (const auto& kernel : quantize_blocked_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        auto* bench = benchmark::RegisterBenchmark(kernel.name, run, kernel)->ArgNames({"channels", "size"});
        bench->Args({64, 224})->Args({64, 112})->Args({128, 56})->Args({256, 28})->Args({512, 14});
    }
    return true;
}();

}  // namespace

}  // namespace vgg19::kernels
