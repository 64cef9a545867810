#include "converter/finetune/convolution_layer.h"

#include <algorithm>
#include <stdexcept>

#include "engine/layers/convolution_cost.h"
#include "engine/layers/winograd.h"
#include "engine/layers/winograd_image.h"
#include "kernels/common/parallel.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

constexpr std::size_t taps = 9;
constexpr std::size_t line = 16;  // floats

std::size_t in_lines(std::size_t floats) {
    return (floats + line - 1) / line * line;
}

std::size_t in_floats(std::size_t bytes) {
    return (bytes + sizeof(float) - 1) / sizeof(float);
}

kernels::WinogradTile cheapest_tile(const layers::ConvolutionShape& shape,
                                    const layers::Execution& execution) {
    const auto estimates =
        layers::convolution_estimates(shape, execution, layers::ConvolutionChoice::winograd);
    // The first layer, of an image, has an algorithm of its own.
    return layers::winograd_tile(estimates.front().algorithm).value_or(kernels::WinogradTile{4, 4});
}

/// Without the pool, which is a separate step in training, because its gradient needs the map before it.
layers::ConvolutionShape without_pool(layers::ConvolutionShape shape) {
    shape.pool_follows = false;
    return shape;
}

/// The shape of the convolution that computes the backward pass.
layers::ConvolutionShape turned(layers::ConvolutionShape shape) {
    std::swap(shape.input_channels, shape.output_channels);
    return shape;
}

kernels::Winograd winograd_of(const layers::ConvolutionShape& shape, kernels::WinogradTile tile,
                              layers::Execution execution, std::size_t count) {
    execution.batch = count;
    return layers::winograd_problem(shape, tile, execution);
}

/// The offsets of the parts in a Winograd convolution's workspace.
struct WinogradParts {
    std::size_t bias;
    std::size_t scratch;
    std::size_t end;

    WinogradParts(const kernels::Winograd& problem, const kernels::WinogradSchedule& schedule)
        : bias(in_lines(problem.packed_size())),
          scratch(bias + in_lines(problem.output_blocks() * problem.block)),
          end(scratch + in_lines(kernels::winograd_scratch_size(problem, schedule))) {}
};

kernels::WinogradSchedule schedule_of(const kernels::Winograd& problem, const layers::Execution& execution) {
    return kernels::winograd_schedule(problem, execution.cpu(), execution.threads);
}

std::size_t winograd_workspace(const kernels::Winograd& problem, const layers::Execution& execution) {
    return WinogradParts(problem, schedule_of(problem, execution)).end;
}

/// Packs the filters and runs the convolution. `bias` may be empty.
void run_winograd(kernels::Winograd problem, const layers::Execution& execution, const float* weights,
                  std::span<const float> bias, float* memory) {
    const auto& steps = *kernels::select(kernels::winograd_kernels(), execution.isa).run;
    const auto schedule = schedule_of(problem, execution);
    const WinogradParts parts(problem, schedule);
    kernels::winograd_pack(steps, problem, execution.threads, weights, memory);
    std::fill_n(memory + parts.bias, problem.output_blocks() * problem.block, 0.0F);
    std::copy(bias.begin(), bias.end(), memory + parts.bias);
    problem.weights = memory;
    problem.bias = memory + parts.bias;
    kernels::winograd_convolution(steps, problem, schedule, memory + parts.scratch);
}

/// target[i][o] = the filter source[o][i], rotated by 180°.
void turn_filters(const layers::ConvolutionShape& shape, const float* source, float* target, int threads) {
    kernels::parallel_for(threads, shape.input_channels, [&](std::size_t i) {
        for (std::size_t o = 0; o < shape.output_channels; ++o) {
            const float* filter = source + (o * shape.input_channels + i) * taps;
            std::reverse_copy(filter, filter + taps, target + (i * shape.output_channels + o) * taps);
        }
    });
}

}  // namespace

ConvolutionLayer::ConvolutionLayer(const layers::ConvolutionShape& shape, const layers::Execution& execution)
    : shape_(without_pool(shape)),
      execution_(execution),
      forward_tile_(cheapest_tile(shape_, execution)),
      backward_tile_(cheapest_tile(turned(shape_), execution)),
      weights_tile_(kernels::winograd_gradient_tile(
          winograd_of(shape_, kernels::WinogradTile{4, 4}, execution, execution.batch))) {}

std::size_t ConvolutionLayer::output_size(std::size_t count) const {
    return kernels::blocked_size(count, shape_.output_channels, shape_.size.height, shape_.size.width,
                                 execution_.channel_block());
}

void ConvolutionLayer::forward(std::size_t count, const float* input, const LayerParameters& parameters,
                               float* output, Workspace& workspace) const {
    if (shape_.plain_input) return forward_image(count, input, parameters, output, workspace);
    kernels::Winograd problem = winograd_of(shape_, forward_tile_, execution_, count);
    problem.input = input;
    problem.output = output;
    run_winograd(problem, execution_, parameters.weights.data(), parameters.bias,
                 workspace.floats(winograd_workspace(problem, execution_)));
}

void ConvolutionLayer::forward_image(std::size_t count, const float* input, const LayerParameters& parameters,
                                     float* output, Workspace& workspace) const {
    layers::Execution execution = execution_;
    execution.batch = count;
    const layers::ConvolutionWeights weights{.weights = parameters.weights.data(),
                                             .bias = parameters.bias.data()};
    // This layer has few filters, so packing them again each time is cheap.
    const auto convolution = layers::make_winograd_image(shape_, weights, execution);
    float* scratch = workspace.floats(in_floats(convolution->scratch_bytes()));
    convolution->run(reinterpret_cast<const std::byte*>(input), reinterpret_cast<std::byte*>(output),
                     reinterpret_cast<std::byte*>(scratch));
}

void ConvolutionLayer::backward_data(std::size_t count, const float* output_gradient,
                                     const LayerParameters& parameters, float* input_gradient,
                                     Workspace& workspace) const {
    kernels::Winograd problem = winograd_of(turned(shape_), backward_tile_, execution_, count);
    problem.relu = false;
    problem.input = output_gradient;
    problem.output = input_gradient;
    const std::size_t filters = in_lines(parameters.weights.size());
    float* memory = workspace.floats(filters + winograd_workspace(problem, execution_));
    turn_filters(shape_, parameters.weights.data(), memory, execution_.threads);
    run_winograd(problem, execution_, memory, {}, memory + filters);
}

kernels::WinogradGradient ConvolutionLayer::weights_problem(std::size_t count) const {
    return {.forward = winograd_of(shape_, weights_tile_, execution_, count)};
}

void ConvolutionLayer::backward_weights(std::size_t count, const float* input, const float* output_gradient,
                                        const LayerParameters& parameters, Workspace& workspace) {
    if (shape_.plain_input) {
        return backward_image_weights(count, input, output_gradient, parameters, workspace);
    }
    kernels::WinogradGradient problem = weights_problem(count);
    problem.forward.input = input;
    problem.output_gradient = output_gradient;
    problem.weights_gradient = parameters.weights_gradient.data();
    problem.bias_gradient = parameters.bias_gradient.data();
    kernels::winograd_gradient(problem, execution_.isa, execution_.threads,
                               workspace.floats(kernels::winograd_gradient_scratch_size(problem)));
}

kernels::ConvWeightsGradient& ConvolutionLayer::image_gradient(std::size_t count) {
    if (image_gradient_ && image_gradient_count_ == count) return *image_gradient_;
    const kernels::ConvWeightsGradientShape shape = {.batch = count,
                                                     .input_channels = shape_.input_channels,
                                                     .output_channels = shape_.output_channels,
                                                     .height = shape_.size.height,
                                                     .width = shape_.size.width,
                                                     .block = execution_.channel_block(),
                                                     .plain_input = true};
    try {
        image_gradient_.emplace(shape, execution_.threads);
    } catch (const std::runtime_error& error) {
        throw Error(ErrorKind::failed, error.what());
    }
    image_gradient_count_ = count;
    return *image_gradient_;
}

void ConvolutionLayer::backward_image_weights(std::size_t count, const float* image,
                                              const float* output_gradient, const LayerParameters& parameters,
                                              Workspace& workspace) {
    kernels::ConvWeightsGradient& gradient = image_gradient(count);
    float* scratch = workspace.floats(in_floats(gradient.scratch_bytes()));
    gradient.run(image, output_gradient, parameters.weights_gradient.data(), parameters.bias_gradient.data(),
                 reinterpret_cast<std::byte*>(scratch));
}

std::size_t ConvolutionLayer::forward_workspace() const {
    if (shape_.plain_input) return 0;  // it needs only a few rows
    return winograd_workspace(winograd_of(shape_, forward_tile_, execution_, execution_.batch), execution_);
}

std::size_t ConvolutionLayer::backward_data_workspace() const {
    return in_lines(shape_.input_channels * shape_.output_channels * taps) +
           winograd_workspace(winograd_of(turned(shape_), backward_tile_, execution_, execution_.batch),
                              execution_);
}

std::size_t ConvolutionLayer::backward_weights_workspace() {
    if (shape_.plain_input) return in_floats(image_gradient(execution_.batch).scratch_bytes());
    return kernels::winograd_gradient_scratch_size(weights_problem(execution_.batch));
}

}  // namespace vgg19::converter
