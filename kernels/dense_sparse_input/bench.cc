#include <benchmark/benchmark.h>

#include <vector>

#include "kernels/common/parallel.h"
#include "kernels/common/testing/dense_bench.h"
#include "kernels/dense_sparse_input/dense_sparse_input.h"

namespace vgg19::kernels {

namespace {

struct Layer {
    /// Inputs whose zeros are scattered, `percent_zero` of them and the same in all images.
    Layer(DenseShape shape, std::size_t batch, std::size_t percent_zero)
        : input(batch * shape.inputs),
          weights(shape.inputs * shape.outputs, 0.25F),
          bias(shape.outputs),
          output(batch * shape.outputs),
          partial_sums(batch * shape.outputs),
          rows(shape.inputs) {
        for (std::size_t i = 0; i < input.size(); ++i) {
            const std::size_t scattered = i % shape.inputs * 61 % 100;  // 61 and 100 have no common divisor
            input[i] = scattered < percent_zero ? 0.0F : 0.5F;
        }
        problem.batch = batch;
        problem.inputs = shape.inputs;
        problem.outputs = shape.outputs;
        problem.input = input.data();
        problem.weights = weights.data();
        problem.bias = bias.data();
        problem.output = output.data();
        problem.partial_sums = partial_sums.data();
        problem.rows = rows.data();
        problem.row_count = list_nonzero_inputs(input.data(), batch, shape.inputs, rows.data());
    }

    std::vector<float> input;
    std::vector<float> weights;
    std::vector<float> bias;
    std::vector<float> output;
    std::vector<float> partial_sums;
    std::vector<std::uint32_t> rows;
    DenseSparseInput problem;
};

/// Bytes are those of the rows that are read.
void run_layer(benchmark::State& state, const Kernel<DenseSparseInputFunction>& kernel, DenseShape shape) {
    const auto batch = static_cast<std::size_t>(state.range(0));
    const auto threads = static_cast<std::size_t>(state.range(1));
    const Layer layer(shape, batch, static_cast<std::size_t>(state.range(2)));
    for ([[maybe_unused]] auto iteration : state) {
        parallel_for(static_cast<int>(threads), threads, [&](std::size_t index) {
            const Range range = part_of(shape.outputs, threads, index, 16);
            kernel.run(layer.problem, range.begin, range.end);
        });
    }
    const std::size_t bytes = layer.problem.row_count * shape.outputs * sizeof(float);
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

[[maybe_unused]] const bool registered = register_sparse_benches(dense_sparse_input_kernels(), run_layer);

}  // namespace

}  // namespace vgg19::kernels
