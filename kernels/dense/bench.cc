// Benches every dense kernel that this CPU supports, with VGG-19's shapes.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/dense/schedule.h"

namespace vgg19::kernels {

namespace {

struct Shape {
    std::size_t inputs;
    std::size_t outputs;
};

/// VGG-19's three dense layers at 224 × 224, and the first one after a tenth of the last convolution's
/// filters is pruned (its rows are unaligned).
constexpr Shape shapes[] = {{25088, 4096}, {4096, 4096}, {4096, 1000}, {22589, 4096}};

struct Layer {
    /// Inputs with scattered zeros: `percent_zero` per cent, the same in all images.
    Layer(DenseWeights weights, Shape shape, std::size_t batch, std::size_t percent_zero)
        : problem{.batch = batch, .inputs = shape.inputs, .outputs = shape.outputs},
          input(batch * shape.inputs),
          int8_input(batch * shape.inputs),
          weight_bytes(shape.inputs * dense_row_bytes(weights, shape.outputs), 0x3B),  // FP32: 0.003
          output_scale(shape.outputs, 1.0F),
          input_scale(batch, 1.0F),
          int4_scale(shape.inputs * problem.int4_groups(), 0x3C00),  // 1.0 in half precision
          bias(shape.outputs),
          output(batch * shape.outputs),
          rows(shape.inputs) {
        for (std::size_t i = 0; i < input.size(); ++i) {
            const std::size_t scattered = i % shape.inputs * 61 % 100;  // 61 and 100 have no common divisor
            input[i] = scattered < percent_zero ? 0.0F : 0.5F;
            int8_input[i] = scattered < percent_zero ? 0 : 3;
        }
        problem.input = input.data();
        problem.int8_input = int8_input.data();
        problem.input_scale = input_scale.data();
        problem.fp32_weights = reinterpret_cast<const float*>(weight_bytes.data());
        problem.int8_weights = reinterpret_cast<const std::int8_t*>(weight_bytes.data());
        problem.int8_scale = output_scale.data();
        problem.int4_weights = weight_bytes.data();
        problem.int4_scale = int4_scale.data();
        problem.bias = bias.data();
        problem.output = output.data();
        problem.input_rows = rows.data();
        problem.input_row_count = list_nonzero_inputs(input.data(), batch, shape.inputs, rows.data());
    }

    Dense problem;
    std::vector<float> input;
    std::vector<std::uint8_t> int8_input;
    std::vector<std::uint8_t> weight_bytes;
    std::vector<float> output_scale;
    std::vector<float> input_scale;
    std::vector<std::uint16_t> int4_scale;
    std::vector<float> bias;
    std::vector<float> output;
    std::vector<std::uint32_t> rows;
};

/// Counts the bytes of the rows of weights that are read.
void run_layer(benchmark::State& state, const Kernel<const DenseSteps>& kernel, DenseWeights weights,
               Shape shape) {
    const auto batch = static_cast<std::size_t>(state.range(0));
    const auto threads = static_cast<int>(state.range(1));
    const bool skips_zeros = is_input_major(weights);
    const Layer layer(weights, shape, batch, skips_zeros ? static_cast<std::size_t>(state.range(2)) : 0);
    const DenseSchedule schedule =
        dense_schedule(weights, layer.problem, this_machine(kernel.isa), kernel.isa, threads);
    AlignedBuffer scratch(dense_scratch_bytes(weights, layer.problem, schedule));
    for ([[maybe_unused]] auto iteration : state) {
        run_dense(*kernel.run, weights, layer.problem, schedule, scratch.data());
    }
    const std::size_t rows = skips_zeros ? layer.problem.input_row_count : shape.inputs;
    state.SetBytesProcessed(state.iterations() *
                            static_cast<std::int64_t>(rows * dense_row_bytes(weights, shape.outputs)));
}

/// All shapes, with one image and eight, with one thread and two; where zero inputs are skipped, with no
/// zeros and with half zeros.
void register_benches(const Kernel<const DenseSteps>& kernel, DenseWeights weights) {
    for (const Shape shape : shapes) {
        const std::string name = std::string(kernel.name) + "/" + std::to_string(shape.inputs) + "x" +
                                 std::to_string(shape.outputs);
        const auto run = [kernel, weights, shape](benchmark::State& state) {
            run_layer(state, kernel, weights, shape);
        };
        auto* bench = benchmark::RegisterBenchmark(name.c_str(), run)->UseRealTime();
        if (is_input_major(weights)) {
            bench->ArgNames({"batch", "threads", "percent_zero"})->ArgsProduct({{1, 8}, {1, 2}, {0, 50}});
        } else {
            bench->ArgNames({"batch", "threads"})->ArgsProduct({{1, 8}, {1, 2}});
        }
    }
}

[[maybe_unused]] const bool registered = [] {
    for (const DenseWeights weights : all_dense_weights) {
        for (const Kernel<const DenseSteps>& kernel : dense_kernels(weights)) {
            if (cpu_supports(kernel.isa)) register_benches(kernel, weights);
        }
    }
    return true;
}();

}  // namespace

}  // namespace vgg19::kernels
