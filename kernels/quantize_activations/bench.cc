#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "kernels/quantize_activations/quantize_activations.h"

namespace vgg19::kernels {

namespace {

void run(benchmark::State& state, QuantizeActivationsFunction* kernel) {
    const auto count = static_cast<std::size_t>(state.range(0));
    std::vector<float> input(count);
    for (std::size_t i = 0; i < count; ++i) input[i] = static_cast<float>(i % 251) - 20;
    std::vector<std::uint8_t> output(count);
    while (state.KeepRunning()) {
        benchmark::DoNotOptimize(kernel(input.data(), count, output.data()));
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(state.iterations() * state.range(0) * 5);
}

/// The inputs of VGG-19's dense layers.
[[maybe_unused]] const bool registered = [] {
    for (const auto& kernel : quantize_activations_kernels()) {
        if (!cpu_supports(kernel.isa)) continue;
        benchmark::RegisterBenchmark(kernel.name, run, kernel.run)->ArgName("values")->Arg(25088)->Arg(4096);
    }
    return true;
}();

}  // namespace

}  // namespace vgg19::kernels
