#include <benchmark/benchmark.h>

#include <vector>

#include "kernels/common/parallel.h"
#include "kernels/common/testing/dense_bench.h"
#include "kernels/dense_int8_sparse_input/dense_int8_sparse_input.h"

namespace vgg19::kernels {

namespace {

struct Layer {
    /// Inputs whose zeros are scattered, `percent_zero` of them and the same in all images.
    Layer(DenseShape shape, std::size_t batch, std::size_t percent_zero)
        : input(batch * shape.inputs),
          input_scale(batch, 1.0F),
          weights(shape.inputs * shape.outputs, -5),
          weight_scale(shape.outputs, 1.0F),
          bias(shape.outputs),
          output(batch * shape.outputs),
          rows(shape.inputs) {
        for (std::size_t i = 0; i < input.size(); ++i) {
            const std::size_t scattered = i % shape.inputs * 61 % 100;  // 61 and 100 have no common divisor
            input[i] = scattered < percent_zero ? 0 : 3;
        }
        problem.batch = batch;
        problem.inputs = shape.inputs;
        problem.outputs = shape.outputs;
        problem.input = input.data();
        problem.input_scale = input_scale.data();
        problem.weights = weights.data();
        problem.weight_scale = weight_scale.data();
        problem.bias = bias.data();
        problem.output = output.data();
        problem.rows = rows.data();
        problem.row_count = list_nonzero_inputs(input.data(), batch, shape.inputs, rows.data());
        sums.resize(batch * problem.padded_outputs());
        problem.sums = sums.data();
    }

    std::vector<std::uint8_t> input;
    std::vector<float> input_scale;
    std::vector<std::int8_t> weights;
    std::vector<float> weight_scale;
    std::vector<float> bias;
    std::vector<float> output;
    std::vector<std::uint32_t> rows;
    std::vector<std::int32_t> sums;
    DenseInt8SparseInput problem;
};

/// Bytes are those of the rows that are read.
void run_layer(benchmark::State& state, const Kernel<DenseInt8SparseInputFunction>& kernel,
               DenseShape shape) {
    const auto batch = static_cast<std::size_t>(state.range(0));
    const auto threads = static_cast<std::size_t>(state.range(1));
    const Layer layer(shape, batch, static_cast<std::size_t>(state.range(2)));
    for ([[maybe_unused]] auto iteration : state) {
        parallel_for(static_cast<int>(threads), threads, [&](std::size_t index) {
            const Range range = part_of(shape.outputs, threads, index, DenseInt8SparseInput::granularity);
            kernel.run(layer.problem, range.begin, range.end);
        });
    }
    const std::size_t bytes = layer.problem.row_count * shape.outputs;
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

[[maybe_unused]] const bool registered =
    register_sparse_benches(dense_int8_sparse_input_kernels(), run_layer);

}  // namespace

}  // namespace vgg19::kernels
