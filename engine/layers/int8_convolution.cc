#include "engine/layers/int8_convolution.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

#include "kernels/common/aligned_buffer.h"
#include "kernels/winograd_int8/schedule.h"
#include "vgg19/error.h"

namespace vgg19::layers {

namespace {

/// 1 / the output's quantization scale; 1 if the output is floats.
float output_steps(const ConvolutionWeights& weights) {
    return weights.output_scale == 0 ? 1.0F : 1.0F / weights.output_scale;
}

/// Writes `values` in units of the output's scale; fills `to` up with zeros.
void fill_scaled(std::span<const float> values, float steps, std::span<float> to) {
    std::fill(to.begin(), to.end(), 0.0F);
    std::transform(values.begin(), values.end(), to.begin(), [&](float value) { return value * steps; });
}

kernels::Int8ConvolutionOutput output_of(std::byte* output, bool quantizes, std::size_t float_block,
                                         bool relu) {
    if (quantizes) return {.quantized = as_int8(output)};
    return {.floats = as_floats(output), .float_block = float_block, .relu = relu};
}

class DirectInt8 final : public Operation {
  public:
    DirectInt8(const ConvolutionShape& shape, const ConvolutionWeights& weights, const Execution& execution)
        : execution_(execution),
          quantizes_(quantizes_itself(ConvolutionAlgorithm::conv_int8, shape)),
          relu_(shape.relu),
          kernel_(kernels::select(kernels::conv_int8_kernels(), execution.isa)),
          problem_(conv_int8_problem(shape, execution)),
          weights_(kernels::conv_int8_packed_size(problem_)),
          multiplier_(problem_.padded_output_channels()),
          bias_(problem_.padded_output_channels()) {
        kernels::conv_int8_pack(problem_, execution.threads, weights.int8_weights,
                                weights_.as<std::int8_t>());
        const float steps = output_steps(weights);
        fill_scaled({weights.weight_scale, shape.output_channels}, weights.input_scale * steps, multiplier_);
        fill_scaled({weights.bias, shape.output_channels}, steps, bias_);
        problem_.weights = weights_.as<std::int8_t>();
        problem_.multiplier = multiplier_.data();
        problem_.bias = bias_.data();
    }

    void run(const std::byte* input, std::byte* output, std::byte* scratch) override {
        kernels::ConvInt8 problem = problem_;
        problem.input = as_int8(input);
        problem.output = output_of(output, quantizes_, execution_.channel_block(), relu_);
        kernels::conv_int8_convolution(kernel_, problem, execution_.threads, scratch);
    }

    bool reshape(MapSize size, const Execution& execution) override {
        problem_.batch = execution.batch;
        problem_.height = size.height;
        problem_.width = size.width;
        return true;
    }

    std::size_t scratch_bytes() const override {
        return kernels::conv_int8_scratch_size(problem_, execution_.threads);
    }
    std::size_t weight_bytes() const override { return weights_.size(); }
    std::uint64_t operations() const override { return problem_.operations(); }
    std::string kernel() const override { return kernel_.name; }

  private:
    Execution execution_;
    bool quantizes_;
    bool relu_;  ///< of floats
    kernels::Kernel<kernels::ConvInt8Function> kernel_;
    kernels::ConvInt8 problem_;
    kernels::AlignedBuffer weights_;
    std::vector<float> multiplier_;
    std::vector<float> bias_;
};

/// The file's scale for each position as the kernel's fixed-point multiplier.
std::array<std::int16_t, kernels::winograd_int8_most_positions> input_multipliers(
    kernels::WinogradInt8Tile tile, const ConvolutionWeights& weights) {
    const float* scales = tile == kernels::WinogradInt8Tile::f2x2 ? weights.winograd_input_scale
                                                                  : weights.winograd_f4x4_input_scale;
    std::array<std::int16_t, kernels::winograd_int8_most_positions> multipliers{};
    for (std::size_t position = 0; position < kernels::winograd_int8_positions(tile); ++position) {
        multipliers[position] =
            kernels::winograd_int8_input_multiplier(tile, weights.input_scale, scales[position]);
    }
    return multipliers;
}

class WinogradInt8Convolution final : public Operation {
  public:
    WinogradInt8Convolution(kernels::WinogradInt8Tile tile, const ConvolutionShape& shape,
                            const ConvolutionWeights& weights, const Execution& execution)
        : float_block_(execution.channel_block()),
          quantizes_(quantizes_itself(ConvolutionAlgorithm::winograd_int8_f2x2, shape)),
          relu_(shape.relu),
          kernel_(kernels::select(kernels::winograd_int8_kernels(), execution.isa)),
          problem_(winograd_int8_problem(tile, shape, execution)),
          schedule_(schedule_of(problem_, execution)),
          weights_(problem_.packed_size()),
          multiplier_(problem_.positions() * problem_.padded_output_channels()),
          bias_(problem_.padded_output_channels()) {
        kernels::winograd_int8_pack(problem_, execution.threads, weights.int8_weights, weights.weight_scale,
                                    weights_.as<std::int8_t>(), multiplier_.data());
        problem_.input_multiplier = input_multipliers(tile, weights);
        scale_multipliers(weights);
        fill_scaled({weights.bias, shape.output_channels}, output_steps(weights), bias_);
        problem_.weights = weights_.as<std::int8_t>();
        problem_.multiplier = multiplier_.data();
        problem_.bias = bias_.data();
    }

    void run(const std::byte* input, std::byte* output, std::byte* scratch) override {
        kernels::WinogradInt8 problem = problem_;
        problem.input = as_int8(input);
        problem.output = output_of(output, quantizes_, float_block_, relu_);
        kernels::winograd_int8_convolution(*kernel_.run, problem, schedule_, scratch);
    }

    bool reshape(MapSize size, const Execution& execution) override {
        problem_.batch = execution.batch;
        problem_.height = size.height;
        problem_.width = size.width;
        schedule_ = schedule_of(problem_, execution);
        return true;
    }

    std::size_t scratch_bytes() const override {
        return kernels::winograd_int8_scratch_size(problem_, schedule_);
    }
    std::size_t weight_bytes() const override { return weights_.size(); }
    std::uint64_t operations() const override { return problem_.operations(); }
    std::string kernel() const override { return kernels::winograd_int8_kernel_name(kernel_, problem_.tile); }

  private:
    static kernels::WinogradSchedule schedule_of(const kernels::WinogradInt8& problem,
                                                 const Execution& execution) {
        return kernels::winograd_int8_schedule(problem, execution.cpu(), execution.channel_block(),
                                               execution.threads);
    }
    /// Turns the scales of filters into factors from sums of products to output steps.
    void scale_multipliers(const ConvolutionWeights& weights) {
        const std::size_t channels = problem_.padded_output_channels();
        for (std::size_t position = 0; position < problem_.positions(); ++position) {
            const float input_step = kernels::winograd_int8_multiplier_one(problem_.tile) *
                                     weights.input_scale /
                                     static_cast<float>(problem_.input_multiplier[position]);
            const std::span<float> row = std::span(multiplier_).subspan(position * channels, channels);
            for (float& multiplier : row) multiplier *= input_step * output_steps(weights);
        }
    }

    std::size_t float_block_;
    bool quantizes_;
    bool relu_;  ///< of floats
    kernels::Kernel<const kernels::WinogradInt8Steps> kernel_;
    kernels::WinogradInt8 problem_;
    kernels::WinogradSchedule schedule_;
    kernels::AlignedBuffer weights_;
    std::vector<float> multiplier_;
    std::vector<float> bias_;
};

}  // namespace

kernels::ConvInt8 conv_int8_problem(const ConvolutionShape& shape, const Execution& execution) {
    return {.batch = execution.batch,
            .input_channels = shape.input_channels,
            .output_channels = shape.output_channels,
            .height = shape.size.height,
            .width = shape.size.width,
            .pool = shape.pool_follows};
}

kernels::WinogradInt8 winograd_int8_problem(kernels::WinogradInt8Tile tile, const ConvolutionShape& shape,
                                            const Execution& execution) {
    return {.tile = tile,
            .batch = execution.batch,
            .input_channels = shape.input_channels,
            .output_channels = shape.output_channels,
            .height = shape.size.height,
            .width = shape.size.width,
            .pool = shape.pool_follows};
}

std::unique_ptr<Operation> make_conv_int8(const ConvolutionShape& shape, const ConvolutionWeights& weights,
                                          const Execution& execution) {
    if (shape.input_channels > kernels::conv_int8_max_input_channels) {
        throw Error(ErrorKind::bad_input,
                    "an INT8 convolution can have " + std::to_string(kernels::conv_int8_max_input_channels) +
                        " input channels at most, found " + std::to_string(shape.input_channels));
    }
    return std::make_unique<DirectInt8>(shape, weights, execution);
}

std::unique_ptr<Operation> make_winograd_int8(kernels::WinogradInt8Tile tile, const ConvolutionShape& shape,
                                              const ConvolutionWeights& weights, const Execution& execution) {
    return std::make_unique<WinogradInt8Convolution>(tile, shape, weights, execution);
}

}  // namespace vgg19::layers
