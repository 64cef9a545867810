#include "engine/layers/winograd.h"

#include <algorithm>

#include "kernels/common/aligned_buffer.h"

namespace vgg19::layers {

namespace {

class WinogradConvolution final : public Operation {
  public:
    WinogradConvolution(kernels::WinogradTile tile, const ConvolutionShape& shape,
                        const ConvolutionWeights& weights, const Execution& execution)
        : kernel_(kernels::select(kernels::winograd_kernels(), execution.isa)),
          problem_(winograd_problem(shape, tile, execution)),
          schedule_(schedule_of(problem_, execution)),
          weights_(problem_.packed_size() * sizeof(float)),
          bias_(problem_.output_blocks() * problem_.block * sizeof(float)) {
        kernels::winograd_pack(*kernel_.run, problem_, execution.threads, weights.weights,
                               weights_.as<float>());
        std::copy_n(weights.bias, shape.output_channels, bias_.as<float>());
        problem_.weights = weights_.as<float>();
        problem_.bias = bias_.as<float>();
    }

    void run(const std::byte* input, std::byte* output, std::byte* scratch) override {
        kernels::Winograd problem = problem_;
        problem.input = as_floats(input);
        problem.output = as_floats(output);
        kernels::winograd_convolution(*kernel_.run, problem, schedule_, as_floats(scratch));
    }

    bool record_positive(std::uint8_t* bits) override {
        problem_.bits.positive = bits;
        return true;
    }

    bool reshape(MapSize size, const Execution& execution) override {
        problem_.batch = execution.batch;
        problem_.height = size.height;
        problem_.width = size.width;
        schedule_ = schedule_of(problem_, execution);
        return true;
    }

    std::size_t scratch_bytes() const override {
        return kernels::winograd_scratch_size(problem_, schedule_) * sizeof(float);
    }
    std::size_t weight_bytes() const override { return weights_.size(); }
    std::uint64_t operations() const override { return problem_.operations(); }
    std::string kernel() const override {
        // winograd_avx512 → winograd_f4x4_avx512
        const std::string name = kernel_.name;
        const std::size_t end = name.rfind('_');
        return name.substr(0, end) + "_" + winograd_tile_name(problem_.tile) + name.substr(end);
    }

  private:
    static kernels::WinogradSchedule schedule_of(const kernels::Winograd& problem,
                                                 const Execution& execution) {
        return kernels::winograd_schedule(problem, execution.cpu(), execution.threads);
    }

    kernels::Kernel<const kernels::WinogradSteps> kernel_;
    kernels::Winograd problem_;
    kernels::WinogradSchedule schedule_;
    kernels::AlignedBuffer weights_;
    kernels::AlignedBuffer bias_;
};

}  // namespace

kernels::Winograd winograd_problem(const ConvolutionShape& shape, kernels::WinogradTile tile,
                                   const Execution& execution) {
    return {.tile = tile,
            .batch = execution.batch,
            .input_channels = shape.input_channels,
            .output_channels = shape.output_channels,
            .height = shape.size.height,
            .width = shape.size.width,
            .block = execution.channel_block(),
            .pool = winograd_pools(shape, tile),
            .relu = shape.relu};
}

bool winograd_pools(const ConvolutionShape& shape, kernels::WinogradTile tile) {
    return shape.pool_follows && tile.keeps_pool_windows();
}

std::string winograd_tile_name(kernels::WinogradTile tile) {
    return "f" + std::to_string(tile.rows) + "x" + std::to_string(tile.columns);
}

std::unique_ptr<Operation> make_winograd(kernels::WinogradTile tile, const ConvolutionShape& shape,
                                         const ConvolutionWeights& weights, const Execution& execution) {
    return std::make_unique<WinogradConvolution>(tile, shape, weights, execution);
}

}  // namespace vgg19::layers
