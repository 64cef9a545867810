#include "engine/layers/winograd_image.h"

#include <algorithm>

#include "kernels/common/aligned_buffer.h"
#include "kernels/common/parallel.h"

namespace vgg19::layers {

namespace {

class WinogradImageConvolution final : public Operation {
  public:
    WinogradImageConvolution(const ConvolutionShape& shape, const ConvolutionWeights& weights,
                             const Execution& execution)
        : threads_(execution.threads),
          kernel_(kernels::select(kernels::winograd_image_kernels(), execution.isa)),
          problem_(winograd_image_problem(shape, execution)),
          weights_(problem_.packed_size() * sizeof(float)),
          bias_(problem_.output_blocks() * problem_.block * sizeof(float)),
          quantizes_(quantizes_itself(ConvolutionAlgorithm::winograd_image, shape)) {
        kernels::winograd_image_pack(problem_, weights.weights, weights_.as<float>());
        std::copy_n(weights.bias, shape.output_channels, bias_.as<float>());
        problem_.weights = weights_.as<float>();
        problem_.bias = bias_.as<float>();
        if (quantizes_) problem_.output_inverse_scale = 1.0F / weights.output_scale;
    }

    void run(const std::byte* input, std::byte* output, std::byte* scratch) override {
        kernels::WinogradImage problem = problem_;
        problem.input = as_floats(input);
        if (quantizes_) {
            problem.quantized_output = as_int8(output);
        } else {
            problem.output = as_floats(output);
        }
        // Each range transforms two additional rows, so use few long ranges.
        constexpr std::size_t ranges_a_thread = 4;
        const std::size_t ranges = ranges_a_thread * static_cast<std::size_t>(threads_);
        kernels::parallel_workers(threads_, ranges, [&](std::size_t worker, std::size_t index) {
            const kernels::Range rows = kernels::part_of(problem.rows(), ranges, index);
            if (rows.begin == rows.end) return;
            kernel_.run(problem, rows.begin, rows.end, as_floats(scratch) + worker * scratch_floats());
        });
    }

    bool record_positive(std::uint8_t* bits) override {
        problem_.bits.positive = bits;
        return true;
    }

    bool reshape(MapSize size, const Execution& execution) override {
        problem_.batch = execution.batch;
        problem_.height = size.height;
        problem_.width = size.width;
        return true;
    }

    std::size_t scratch_bytes() const override {
        return static_cast<std::size_t>(threads_) * scratch_floats() * sizeof(float);
    }
    std::size_t weight_bytes() const override { return weights_.size(); }
    std::uint64_t operations() const override { return problem_.operations(); }
    std::string kernel() const override { return kernel_.name; }

  private:
    /// The size for one worker, in whole cache lines.
    std::size_t scratch_floats() const {
        constexpr std::size_t line = 16;
        return (problem_.scratch_size() + line - 1) / line * line;
    }

    int threads_;
    kernels::Kernel<kernels::WinogradImageFunction> kernel_;
    kernels::WinogradImage problem_;
    kernels::AlignedBuffer weights_;
    kernels::AlignedBuffer bias_;
    bool quantizes_;
};

}  // namespace

kernels::WinogradImage winograd_image_problem(const ConvolutionShape& shape, const Execution& execution) {
    return {.batch = execution.batch,
            .input_channels = shape.input_channels,
            .output_channels = shape.output_channels,
            .height = shape.size.height,
            .width = shape.size.width,
            .block = execution.channel_block(),
            .relu = shape.relu};
}

std::unique_ptr<Operation> make_winograd_image(const ConvolutionShape& shape,
                                               const ConvolutionWeights& weights,
                                               const Execution& execution) {
    return std::make_unique<WinogradImageConvolution>(shape, weights, execution);
}

}  // namespace vgg19::layers
