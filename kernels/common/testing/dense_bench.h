// For the benches of dense kernels of every type.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/common/parallel.h"
#include "kernels/isa/kernel_list.h"

namespace vgg19::kernels {

struct DenseShape {
    std::size_t inputs;
    std::size_t outputs;
};

/// VGG-19's three dense layers at 224 × 224, and the first when a tenth of the last convolution's filters is
/// pruned (its rows start at any address).
inline constexpr DenseShape dense_bench_shapes[] = {{25088, 4096}, {4096, 4096}, {4096, 1000}, {22589, 4096}};

/// Registers a bench for each kernel that this CPU has, each shape, one image and eight, one thread and two.
/// `Layer` is made from a shape and a batch and has a `problem`. Bytes are those of the weights.
template <class Layer, class Kernels>
bool register_dense_benches(Kernels kernels) {
    for (const auto& kernel : kernels) {
        if (!cpu_supports(kernel.isa)) continue;
        for (const DenseShape shape : dense_bench_shapes) {
            const std::string name = std::string(kernel.name) + "/" + std::to_string(shape.inputs) + "x" +
                                     std::to_string(shape.outputs);
            const auto run = [kernel, shape](benchmark::State& state) {
                const auto batch = static_cast<std::size_t>(state.range(0));
                const auto threads = static_cast<std::size_t>(state.range(1));
                const Layer layer(shape, batch);
                for ([[maybe_unused]] auto iteration : state) {
                    parallel_for(static_cast<int>(threads), threads, [&](std::size_t index) {
                        const Range range = part_of(shape.outputs, threads, index);
                        kernel.run(layer.problem, range.begin, range.end);
                    });
                }
                const auto weights = static_cast<std::int64_t>(shape.inputs * shape.outputs);
                const auto weight_bytes = static_cast<std::int64_t>(sizeof(*layer.problem.weights));
                state.SetBytesProcessed(state.iterations() * weights * weight_bytes);
            };
            benchmark::RegisterBenchmark(name.c_str(), run)
                ->ArgNames({"batch", "threads"})
                ->ArgsProduct({{1, 8}, {1, 2}})
                ->UseRealTime();
        }
    }
    return true;
}

/// The same for kernels that leave out inputs that are zero, none of them and half: run_layer(state, kernel,
/// shape), where the state's arguments are images, threads and the percentage.
template <class Kernels, class RunLayer>
bool register_sparse_benches(Kernels kernels, RunLayer run_layer) {
    for (const auto& kernel : kernels) {
        if (!cpu_supports(kernel.isa)) continue;
        for (const DenseShape shape : dense_bench_shapes) {
            const std::string name = std::string(kernel.name) + "/" + std::to_string(shape.inputs) + "x" +
                                     std::to_string(shape.outputs);
            const auto run = [kernel, shape, run_layer](benchmark::State& state) {
                run_layer(state, kernel, shape);
            };
            benchmark::RegisterBenchmark(name.c_str(), run)
                ->ArgNames({"batch", "threads", "percent_zero"})
                ->ArgsProduct({{1, 8}, {1, 2}, {0, 50}})
                ->UseRealTime();
        }
    }
    return true;
}

}  // namespace vgg19::kernels
