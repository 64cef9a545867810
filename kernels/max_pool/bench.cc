#include <benchmark/benchmark.h>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/blocked_layout.h"
#include "kernels/max_pool/max_pool.h"

namespace vgg19::kernels {

namespace {

void run(benchmark::State& state, const Kernel<Pool2x2Function>& kernel) {
    const auto channels = static_cast<std::size_t>(state.range(0));
    const auto size = static_cast<std::size_t>(state.range(1));
    const std::size_t block = channel_block(kernel.isa);
    AlignedBuffer input(channels * size * size * sizeof(float));
    AlignedBuffer output(input.size() / 4);
    const Pool2x2 problem = {.planes = channels / block,
                             .height = size,
                             .width = size,
                             .block = block,
                             .input = input.as<float>(),
                             .output = output.as<float>()};
    while (state.KeepRunning()) {
        kernel.run(problem, 0, problem.planes * (size / 2));
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(input.size() + output.size()));
}

/// VGG-19's five max-pools at 224×224.
[[maybe_unused]] const bool registered = [] {
    for (const auto& kernel : max_pool_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        auto* bench = benchmark::RegisterBenchmark(kernel.name, run, kernel)->ArgNames({"channels", "size"});
        bench->Args({64, 224})->Args({128, 112})->Args({256, 56})->Args({512, 28})->Args({512, 14});
    }
    return true;
}();

}  // namespace

}  // namespace vgg19::kernels
