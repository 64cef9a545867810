// For the benches of convolutions: common shapes, so that results are comparable.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>

#include "kernels/common/parallel.h"

namespace vgg19::kernels {

struct ConvolutionShape {
    std::size_t input_channels;
    std::size_t output_channels;
    std::size_t side;  ///< height and width of input and output

    /// Multiplications and additions of a direct convolution.
    double operations() const {
        return 2.0 * 9 * static_cast<double>(input_channels * output_channels * side * side);
    }
};

/// VGG-19's shapes at 224 × 224.
inline constexpr ConvolutionShape vgg19_shapes[] = {
    {3, 64, 224},   {64, 64, 224},  {64, 128, 112}, {128, 128, 112}, {128, 256, 56},
    {256, 256, 56}, {256, 512, 28}, {512, 512, 28}, {512, 512, 14},
};

/// A bench's arguments: a shape, and the number of threads (one, and all).
inline void add_vgg19_shapes(benchmark::internal::Benchmark* benchmark, std::size_t least_input_channels) {
    for (const int threads : {1, available_cpus()}) {
        for (const ConvolutionShape& shape : vgg19_shapes) {
            if (shape.input_channels < least_input_channels) continue;
            benchmark->Args({static_cast<std::int64_t>(shape.input_channels),
                             static_cast<std::int64_t>(shape.output_channels),
                             static_cast<std::int64_t>(shape.side), threads});
        }
    }
    benchmark->ArgNames({"in", "out", "side", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime();
}

inline ConvolutionShape shape_of(const benchmark::State& state) {
    const auto argument = [&](std::size_t index) { return static_cast<std::size_t>(state.range(index)); };
    return {argument(0), argument(1), argument(2)};
}

inline int threads_of(const benchmark::State& state) {
    return static_cast<int>(state.range(3));
}

/// Reports the rates of direct convolution's operations, and of the operations that the algorithm actually
/// executes.
inline void count_operations(benchmark::State& state, double direct, double executed) {
    constexpr auto rate = benchmark::Counter::kIsIterationInvariantRate;
    state.counters["direct FLOP/s"] = benchmark::Counter(direct, rate);
    state.counters["executed FLOP/s"] = benchmark::Counter(executed, rate);
}

}  // namespace vgg19::kernels
