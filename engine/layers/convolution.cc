#include "engine/layers/convolution.h"

#include <vector>

#include "engine/layers/int8_convolution.h"
#include "engine/layers/winograd.h"
#include "engine/layers/winograd_image.h"
#include "kernels/common/aligned_buffer.h"
#include "kernels/common/parallel.h"
#include "kernels/conv_direct/conv_direct.h"
#include "kernels/onednn/conv_onednn.h"
#include "vgg19/error.h"

namespace vgg19::layers {

namespace {

class DirectConvolution final : public Operation {
  public:
    DirectConvolution(const ConvolutionShape& shape, const ConvolutionWeights& weights,
                      const Execution& execution)
        : execution_(execution),
          operations_(execution.batch * shape.direct_operations()),
          kernel_(kernels::select(kernels::conv_direct_kernels(), execution.isa)),
          weights_(kernels::conv_direct_packed_size(shape.input_channels, shape.output_channels,
                                                    execution.channel_block()) *
                   sizeof(float)),
          bias_(weights.bias, weights.bias + shape.output_channels),
          problem_{.batch = execution.batch,
                   .input_channels = shape.input_channels,
                   .output_channels = shape.output_channels,
                   .height = shape.size.height,
                   .width = shape.size.width,
                   .block = execution.channel_block(),
                   .plain_input = shape.plain_input,
                   .weights = weights_.as<float>(),
                   .bias = bias_.data()} {
        kernels::conv_direct_pack(shape.input_channels, shape.output_channels, execution.channel_block(),
                                  weights.weights, weights_.as<float>());
    }

    void run(const std::byte* input, std::byte* output, std::byte* /*scratch*/) override {
        kernels::ConvDirect problem = problem_;
        problem.input = as_floats(input);
        problem.output = as_floats(output);
        const std::size_t rows =
            problem.batch * kernels::blocks_of(problem.output_channels, problem.block) * problem.height;
        kernels::parallel_for(execution_.threads, rows,
                              [&](std::size_t row) { kernel_.run(problem, row, row + 1); });
    }

    std::size_t weight_bytes() const override { return weights_.size(); }
    std::uint64_t operations() const override { return operations_; }
    std::string kernel() const override { return kernel_.name; }

  private:
    Execution execution_;
    std::uint64_t operations_;
    kernels::Kernel<kernels::ConvDirectFunction> kernel_;
    kernels::AlignedBuffer weights_;
    std::vector<float> bias_;
    kernels::ConvDirect problem_;
};

class OneDnnConvolution final : public Operation {
  public:
    OneDnnConvolution(const ConvolutionShape& shape, const ConvolutionWeights& weights,
                      const Execution& execution)
        : isa_(execution.isa),
          operations_(execution.batch * shape.direct_operations()),
          convolution_(onednn_shape(shape, execution), execution.isa, execution.threads, weights.weights,
                       weights.bias) {}

    void run(const std::byte* input, std::byte* output, std::byte* scratch) override {
        convolution_.run(as_floats(input), as_floats(output), scratch);
    }
    std::size_t scratch_bytes() const override { return convolution_.scratch_bytes(); }
    std::size_t weight_bytes() const override { return convolution_.packed_bytes(); }
    std::uint64_t operations() const override { return operations_; }
    std::string kernel() const override {
        return kernels::runs(isa_, kernels::Isa::avx512) ? "conv_onednn_avx512" : "conv_onednn_avx2";
    }

  private:
    kernels::Isa isa_;
    std::uint64_t operations_;
    kernels::ConvOneDnn convolution_;
};

}  // namespace

kernels::ConvOneDnnShape onednn_shape(const ConvolutionShape& shape, const Execution& execution) {
    return {.batch = execution.batch,
            .input_channels = shape.input_channels,
            .output_channels = shape.output_channels,
            .height = shape.size.height,
            .width = shape.size.width,
            .plain_input = shape.plain_input};
}

const char* algorithm_name(ConvolutionAlgorithm algorithm) {
    switch (algorithm) {
        case ConvolutionAlgorithm::direct:
            return "direct";
        case ConvolutionAlgorithm::onednn:
            return "onednn";
        case ConvolutionAlgorithm::winograd_image:
            return "winograd_image";
        case ConvolutionAlgorithm::winograd_f2:
            return "winograd_f2";
        case ConvolutionAlgorithm::winograd_f4:
            return "winograd_f4";
        case ConvolutionAlgorithm::winograd_f5:
            return "winograd_f5";
        case ConvolutionAlgorithm::winograd_f6:
            return "winograd_f6";
        case ConvolutionAlgorithm::conv_int8:
            return "conv_int8";
        case ConvolutionAlgorithm::winograd_int8_f2x2:
            return "winograd_int8_f2x2";
        case ConvolutionAlgorithm::winograd_int8_f4x4:
            return "winograd_int8_f4x4";
    }
    return "unknown";
}

bool pools_itself(ConvolutionAlgorithm algorithm, const ConvolutionShape& shape) {
    using enum ConvolutionAlgorithm;
    switch (algorithm) {
        case direct:
        case onednn:
        case winograd_image:
            return false;
        case winograd_f2:
            return winograd_pools(shape, kernels::WinogradTile::f2);
        case winograd_f4:
            return winograd_pools(shape, kernels::WinogradTile::f4);
        case winograd_f5:
            return winograd_pools(shape, kernels::WinogradTile::f5);
        case winograd_f6:
            return winograd_pools(shape, kernels::WinogradTile::f6);
        case conv_int8:
        case winograd_int8_f2x2:
        case winograd_int8_f4x4:
            return shape.pool_follows;
    }
    return false;
}

bool quantizes_itself(ConvolutionAlgorithm algorithm, const ConvolutionShape& shape) {
    using enum ConvolutionAlgorithm;
    switch (algorithm) {
        case conv_int8:
        case winograd_int8_f2x2:
        case winograd_int8_f4x4:
            return shape.int8_follows;
        case winograd_image:
            return shape.int8_follows && !shape.pool_follows;
        case direct:
        case onednn:
        case winograd_f2:
        case winograd_f4:
        case winograd_f5:
        case winograd_f6:
            return false;
    }
    return false;
}

std::unique_ptr<Operation> make_convolution(ConvolutionAlgorithm algorithm, const ConvolutionShape& shape,
                                            const ConvolutionWeights& weights, const Execution& execution) {
    switch (algorithm) {
        case ConvolutionAlgorithm::direct:
            return std::make_unique<DirectConvolution>(shape, weights, execution);
        case ConvolutionAlgorithm::onednn:
            return std::make_unique<OneDnnConvolution>(shape, weights, execution);
        case ConvolutionAlgorithm::winograd_image:
            return make_winograd_image(shape, weights, execution);
        case ConvolutionAlgorithm::winograd_f2:
            return make_winograd(kernels::WinogradTile::f2, shape, weights, execution);
        case ConvolutionAlgorithm::winograd_f4:
            return make_winograd(kernels::WinogradTile::f4, shape, weights, execution);
        case ConvolutionAlgorithm::winograd_f5:
            return make_winograd(kernels::WinogradTile::f5, shape, weights, execution);
        case ConvolutionAlgorithm::winograd_f6:
            return make_winograd(kernels::WinogradTile::f6, shape, weights, execution);
        case ConvolutionAlgorithm::conv_int8:
            return make_conv_int8(shape, weights, execution);
        case ConvolutionAlgorithm::winograd_int8_f2x2:
            return make_winograd_int8(kernels::WinogradInt8Tile::f2x2, shape, weights, execution);
        case ConvolutionAlgorithm::winograd_int8_f4x4:
            return make_winograd_int8(kernels::WinogradInt8Tile::f4x4, shape, weights, execution);
    }
    throw Error(ErrorKind::failed, "no such convolution algorithm");
}

}  // namespace vgg19::layers
