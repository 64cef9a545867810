#include <benchmark/benchmark.h>

#include <vector>

#include "kernels/softmax/softmax.h"

namespace vgg19::kernels {

namespace {

constexpr std::size_t classes = 1000;

std::vector<float> logits() {
    std::vector<float> values(classes);
    for (std::size_t i = 0; i < classes; ++i) values[i] = static_cast<float>(i * 7919 % 997) / 50;
    return values;
}

void run(benchmark::State& state, SoftmaxFunction* kernel) {
    const std::vector<float> input = logits();
    std::vector<float> output(classes);
    while (state.KeepRunning()) {
        kernel(input.data(), classes, output.data());
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(classes));
}

void run_top_k(benchmark::State& state) {
    const std::vector<float> input = logits();
    const auto top = static_cast<std::size_t>(state.range(0));
    std::vector<std::size_t> indices(top);
    while (state.KeepRunning()) {
        top_k(input.data(), classes, top, indices.data());
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(classes));
}

[[maybe_unused]] const bool registered = [] {
    for (const auto& kernel : softmax_kernels()) {
        if (cpu_supports(kernel.isa)) benchmark::RegisterBenchmark(kernel.name, run, kernel.run);
    }
    benchmark::RegisterBenchmark("top_k", run_top_k)->ArgName("top")->Arg(3)->Arg(5);
    return true;
}();

}  // namespace

}  // namespace vgg19::kernels
