#include <vector>

#include "kernels/common/testing/dense_bench.h"
#include "kernels/dense_int8/dense_int8.h"

namespace vgg19::kernels {

namespace {

struct Layer {
    Layer(DenseShape shape, std::size_t batch)
        : input(batch * shape.inputs, 3),
          input_scale(batch, 1.0F),
          weights(shape.outputs * shape.inputs, -5),
          weight_scale(shape.outputs, 1.0F),
          bias(shape.outputs),
          output(batch * shape.outputs) {
        problem.batch = batch;
        problem.inputs = shape.inputs;
        problem.outputs = shape.outputs;
        problem.input = input.data();
        problem.input_scale = input_scale.data();
        problem.weights = weights.data();
        problem.weight_scale = weight_scale.data();
        problem.bias = bias.data();
        problem.output = output.data();
    }

    std::vector<std::uint8_t> input;
    std::vector<float> input_scale;
    std::vector<std::int8_t> weights;
    std::vector<float> weight_scale;
    std::vector<float> bias;
    std::vector<float> output;
    DenseInt8 problem;
};

[[maybe_unused]] const bool registered = register_dense_benches<Layer>(dense_int8_kernels());

}  // namespace

}  // namespace vgg19::kernels
