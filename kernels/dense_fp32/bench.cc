#include <vector>

#include "kernels/common/testing/dense_bench.h"
#include "kernels/dense_fp32/dense_fp32.h"

namespace vgg19::kernels {

namespace {

struct Layer {
    Layer(DenseShape shape, std::size_t batch)
        : input(batch * shape.inputs, 0.5F),
          weights(shape.outputs * shape.inputs, 0.25F),
          bias(shape.outputs),
          output(batch * shape.outputs) {
        problem.batch = batch;
        problem.inputs = shape.inputs;
        problem.outputs = shape.outputs;
        problem.input = input.data();
        problem.weights = weights.data();
        problem.bias = bias.data();
        problem.output = output.data();
    }

    std::vector<float> input;
    std::vector<float> weights;
    std::vector<float> bias;
    std::vector<float> output;
    DenseFp32 problem;
};

[[maybe_unused]] const bool registered = register_dense_benches<Layer>(dense_fp32_kernels());

}  // namespace

}  // namespace vgg19::kernels
