#include <benchmark/benchmark.h>

#include <vector>

#include "kernels/common/parallel.h"
#include "kernels/common/testing/dense_bench.h"
#include "kernels/dense_int4/dense_int4.h"
#include "kernels/dense_sparse_input/dense_sparse_input.h"

namespace vgg19::kernels {

namespace {

constexpr std::uint16_t one = 0x3C00;  // as a half

struct Layer {
    /// Inputs whose zeros are scattered, `percent_zero` of them and the same in all images.
    Layer(DenseShape shape, std::size_t batch, std::size_t percent_zero)
        : input(batch * shape.inputs),
          bias(shape.outputs),
          output(batch * shape.outputs),
          rows(shape.inputs) {
        for (std::size_t i = 0; i < input.size(); ++i) {
            const std::size_t scattered = i % shape.inputs * 61 % 100;  // 61 and 100 have no common divisor
            input[i] = scattered < percent_zero ? 0.0F : 0.5F;
        }
        problem.batch = batch;
        problem.inputs = shape.inputs;
        problem.outputs = shape.outputs;
        const std::size_t groups = shape.inputs * problem.groups();
        weights.assign(groups * int4_group_bytes, 0x5B);
        weight_scale.assign(groups, one);
        sums.resize(2 * batch * problem.padded_outputs());
        problem.input = input.data();
        problem.weights = weights.data();
        problem.weight_scale = weight_scale.data();
        problem.bias = bias.data();
        problem.output = output.data();
        problem.rows = rows.data();
        problem.row_count = list_nonzero_inputs(input.data(), batch, shape.inputs, rows.data());
        problem.sums = sums.data();
    }

    std::vector<float> input;
    std::vector<std::uint8_t> weights;
    std::vector<std::uint16_t> weight_scale;
    std::vector<float> bias;
    std::vector<float> output;
    std::vector<std::uint32_t> rows;
    std::vector<float> sums;
    DenseInt4 problem;
};

/// Bytes are those of the rows that are read, with their scales.
void run_layer(benchmark::State& state, const Kernel<DenseInt4Function>& kernel, DenseShape shape) {
    const auto batch = static_cast<std::size_t>(state.range(0));
    const auto threads = static_cast<std::size_t>(state.range(1));
    const Layer layer(shape, batch, static_cast<std::size_t>(state.range(2)));
    for ([[maybe_unused]] auto iteration : state) {
        parallel_for(static_cast<int>(threads), threads, [&](std::size_t index) {
            const Range range = part_of(shape.outputs, threads, index, DenseInt4::granularity);
            kernel.run(layer.problem, range.begin, range.end);
        });
    }
    const std::size_t row_bytes = layer.problem.groups() * (int4_group_bytes + sizeof one);
    state.SetBytesProcessed(state.iterations() *
                            static_cast<std::int64_t>(layer.problem.row_count * row_bytes));
}

[[maybe_unused]] const bool registered = register_sparse_benches(dense_int4_kernels(), run_layer);

}  // namespace

}  // namespace vgg19::kernels
