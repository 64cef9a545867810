#include "engine/layers/convolution.h"

#include <algorithm>
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

constexpr auto first_winograd = static_cast<std::size_t>(ConvolutionAlgorithm::winograd_f2x2);
static_assert(static_cast<std::size_t>(ConvolutionAlgorithm::winograd_f6x6) - first_winograd + 1 ==
              kernels::winograd_tiles.size());

bool is_int8(ConvolutionAlgorithm algorithm) {
    using enum ConvolutionAlgorithm;
    return algorithm == conv_int8 || algorithm == winograd_int8_f2x2 || algorithm == winograd_int8_f4x4;
}

class DirectConvolution final : public Operation {
  public:
    DirectConvolution(const ConvolutionShape& shape, const ConvolutionWeights& weights,
                      const Execution& execution)
        : execution_(execution),
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
                   .relu = shape.relu,
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

    bool reshape(MapSize size, const Execution& execution) override {
        problem_.batch = execution.batch;
        problem_.height = size.height;
        problem_.width = size.width;
        return true;
    }
    std::size_t weight_bytes() const override { return weights_.size(); }
    std::uint64_t operations() const override {
        return std::uint64_t{2} * 9 * problem_.batch * problem_.input_channels * problem_.output_channels *
               problem_.height * problem_.width;
    }
    std::string kernel() const override { return kernel_.name; }

  private:
    Execution execution_;
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
            .plain_input = shape.plain_input,
            .relu = shape.relu};
}

std::string algorithm_name(ConvolutionAlgorithm algorithm) {
    using enum ConvolutionAlgorithm;
    if (const auto tile = winograd_tile(algorithm)) return "winograd_" + winograd_tile_name(*tile);
    switch (algorithm) {
        case direct:
            return "direct";
        case onednn:
            return "onednn";
        case winograd_image:
            return "winograd_image";
        case conv_int8:
            return "conv_int8";
        case winograd_int8_f2x2:
            return "winograd_int8_f2x2";
        case winograd_int8_f4x4:
            return "winograd_int8_f4x4";
        default:
            return "unknown";
    }
}

std::optional<kernels::WinogradTile> winograd_tile(ConvolutionAlgorithm algorithm) {
    const auto index = static_cast<std::size_t>(algorithm) - first_winograd;
    if (index >= kernels::winograd_tiles.size()) return std::nullopt;  // unsigned: also before the first
    return kernels::winograd_tiles[index];
}

ConvolutionAlgorithm winograd_algorithm(kernels::WinogradTile tile) {
    const auto* const found = std::find(kernels::winograd_tiles.begin(), kernels::winograd_tiles.end(), tile);
    return static_cast<ConvolutionAlgorithm>(
        first_winograd + static_cast<std::size_t>(found - kernels::winograd_tiles.begin()));
}

bool pools_itself(ConvolutionAlgorithm algorithm, const ConvolutionShape& shape) {
    using enum ConvolutionAlgorithm;
    if (const auto tile = winograd_tile(algorithm)) return winograd_pools(shape, *tile);
    return is_int8(algorithm) && shape.pool_follows;
}

bool quantizes_itself(ConvolutionAlgorithm algorithm, const ConvolutionShape& shape) {
    using enum ConvolutionAlgorithm;
    if (!shape.int8_follows || shape.float_output) return false;
    return algorithm == winograd_image ? !shape.pool_follows : is_int8(algorithm);
}

bool writes_steps(const ConvolutionShape& shape) {
    return shape.type == ConvolutionType::int8 && shape.int8_follows && shape.float_output;
}

std::unique_ptr<Operation> make_convolution(ConvolutionAlgorithm algorithm, const ConvolutionShape& shape,
                                            const ConvolutionWeights& weights, const Execution& execution) {
    if (const auto tile = winograd_tile(algorithm)) return make_winograd(*tile, shape, weights, execution);
    switch (algorithm) {
        case ConvolutionAlgorithm::direct:
            return std::make_unique<DirectConvolution>(shape, weights, execution);
        case ConvolutionAlgorithm::onednn:
            return std::make_unique<OneDnnConvolution>(shape, weights, execution);
        case ConvolutionAlgorithm::winograd_image:
            return make_winograd_image(shape, weights, execution);
        case ConvolutionAlgorithm::conv_int8:
            return make_conv_int8(shape, weights, execution);
        case ConvolutionAlgorithm::winograd_int8_f2x2:
            return make_winograd_int8(kernels::WinogradInt8Tile::f2x2, shape, weights, execution);
        case ConvolutionAlgorithm::winograd_int8_f4x4:
            return make_winograd_int8(kernels::WinogradInt8Tile::f4x4, shape, weights, execution);
        default:
            break;
    }
    throw Error(ErrorKind::failed, "no such convolution algorithm");
}

}  // namespace vgg19::layers
