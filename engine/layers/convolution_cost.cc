#include "engine/layers/convolution_cost.h"

#include <algorithm>
#include <cmath>

#include "engine/layers/int8_convolution.h"
#include "engine/layers/winograd.h"
#include "engine/layers/winograd_image.h"
#include "kernels/onednn/conv_onednn.h"

namespace vgg19::layers {

namespace {

/// Constants of the cost model, measured with `vgg19-bench --tune` on CPUs with AVX-512: multiply-adds per
/// transformed value and input value, shares of the peak, and bytes read from memory during one multiply-add
/// of 16 lanes.
constexpr double transform_input_term = 2.2;
constexpr double transform_output_term = 1.5;
constexpr double pool_pixel = 4;
constexpr double onednn_share = 0.97;
constexpr double image_share = 0.7;
/// For INT8: share of the peak, and multiply-adds per transformed value (an input block, an output vector).
constexpr double int8_share = 0.9;
constexpr double int8_transform_input = 8;
constexpr double int8_transform_output = 6;
constexpr double bytes_a_multiply_add = 4.7;
constexpr double lanes_of_that = 16;

/// F(6,3) is less accurate: its error approaches 1e-5 at 512 channels.
constexpr std::size_t most_channels_of_f6 = 256;

double real(std::size_t value) {
    return static_cast<double>(value);
}

double vectors(const ConvolutionShape& shape, const Execution& execution) {
    const std::size_t block = execution.channel_block();
    return real(shape.input_channels) * real(kernels::blocks_of(shape.output_channels, block));
}

double memory_cost(double bytes, const Execution& execution) {
    return bytes / bytes_a_multiply_add * lanes_of_that / real(execution.channel_block());
}

ConvolutionEstimate direct_estimate(const ConvolutionShape& shape, const Execution& execution,
                                    ConvolutionAlgorithm algorithm, double share) {
    const double block = real(execution.channel_block());
    const double filters = 9 * vectors(shape, execution);
    const double bytes = filters * block * sizeof(float);
    return {algorithm, filters * real(shape.size.pixels()) / share, memory_cost(bytes, execution), bytes};
}

/// The share of the peak that the products reach: a register tile of `rows` tiles by two vectors of channels
/// has 2 · rows multiply-adds per pair of loaded filters.
double product_share(const kernels::Winograd& problem, const Execution& execution) {
    const std::size_t most_rows = execution.channel_block() == 16 ? 14 : 6;
    const double rows = real(problem.tiles()) / std::ceil(real(problem.tiles()) / real(most_rows));
    constexpr double loading = 1.6;
    return 2 * rows / (2 * rows + loading);
}

ConvolutionEstimate winograd_estimate(const ConvolutionShape& shape, Execution execution,
                                      kernels::WinogradTile tile, ConvolutionAlgorithm algorithm) {
    execution.batch = 1;
    const kernels::Winograd problem = winograd_problem(shape, tile, execution);
    const double values = real(problem.positions() * problem.tiles());
    const double products = values * real(problem.input_blocks() * problem.block * problem.output_blocks());
    // Windows of a pool do not fit into tiles with an odd side, so a separate step reads the map again.
    const bool pools_apart = shape.pool_follows && !problem.pool;
    const double pool = pools_apart ? real(shape.size.pixels() * problem.output_blocks()) : 0;
    const double transforms = values * real(problem.input_side()) *
                              (transform_input_term * real(problem.input_blocks()) +
                               transform_output_term * real(problem.output_blocks()));
    const double bytes = real(problem.packed_size()) * sizeof(float);
    return {algorithm, products / product_share(problem, execution) + transforms + pool_pixel * pool,
            memory_cost(bytes, execution), bytes};
}

ConvolutionEstimate image_estimate(const ConvolutionShape& shape, Execution execution) {
    execution.batch = 1;
    const kernels::WinogradImage problem = winograd_image_problem(shape, execution);
    const double bytes = real(problem.packed_size()) * sizeof(float);
    const double products = real(problem.rows() * problem.tiles() * problem.packed_size() / problem.block);
    return {ConvolutionAlgorithm::winograd_image, products / image_share, memory_cost(bytes, execution),
            bytes};
}

bool onednn_supports(const ConvolutionShape& shape, const Execution& execution) {
    return shape.type == ConvolutionType::fp32 &&
           kernels::ConvOneDnn::supports(onednn_shape(shape, execution), execution.isa);
}

/// For INT8: an instruction multiplies four input channels with each lane's output channel.
double int8_products(const ConvolutionShape& shape, const Execution& execution) {
    constexpr std::size_t quad = 4;
    const std::size_t lanes = execution.channel_block();
    const std::size_t output_vectors = kernels::blocks_of(shape.output_channels, lanes);
    const double products = real(kernels::blocks_of(shape.input_channels, quad) * output_vectors);
    // Without dot-product instructions, bytes must be widened first.
    constexpr double widening = 3;
    return kernels::has_dot_product(execution.isa) ? products : widening * products;
}

ConvolutionEstimate conv_int8_estimate(const ConvolutionShape& shape, const Execution& execution) {
    const double bytes = 9 * real(shape.input_channels) * real(shape.output_channels);
    const double products = 9 * real(shape.size.pixels()) * int8_products(shape, execution);
    return {ConvolutionAlgorithm::conv_int8, products / int8_share, memory_cost(bytes, execution), bytes};
}

ConvolutionEstimate winograd_int8_estimate(const ConvolutionShape& shape, Execution execution,
                                           kernels::WinogradInt8Tile tile, ConvolutionAlgorithm algorithm) {
    execution.batch = 1;
    const kernels::WinogradInt8 problem = winograd_int8_problem(tile, shape, execution);
    const double values = real(problem.positions() * problem.tiles());
    const double products = values * int8_products(shape, execution);
    const std::size_t output_vectors = kernels::blocks_of(shape.output_channels, execution.channel_block());
    const double transforms = values * (int8_transform_input * real(problem.input_blocks()) +
                                        int8_transform_output * real(output_vectors));
    const double bytes = real(problem.packed_size());
    return {algorithm, products / int8_share + transforms, memory_cost(bytes, execution), bytes};
}

std::vector<ConvolutionEstimate> int8_estimates(const ConvolutionShape& shape, const Execution& execution,
                                                ConvolutionChoice choice) {
    using enum ConvolutionAlgorithm;
    using kernels::WinogradInt8Tile;
    std::vector<ConvolutionEstimate> estimates;
    if (choice != ConvolutionChoice::direct && shape.winograd_int8.f2x2) {
        estimates.push_back(
            winograd_int8_estimate(shape, execution, WinogradInt8Tile::f2x2, winograd_int8_f2x2));
    }
    if (choice != ConvolutionChoice::direct && shape.winograd_int8.f4x4) {
        estimates.push_back(
            winograd_int8_estimate(shape, execution, WinogradInt8Tile::f4x4, winograd_int8_f4x4));
    }
    if (choice != ConvolutionChoice::winograd || estimates.empty()) {
        estimates.push_back(conv_int8_estimate(shape, execution));
    }
    return estimates;
}

std::vector<ConvolutionEstimate> own_estimates(const ConvolutionShape& shape, const Execution& execution,
                                               ConvolutionChoice choice) {
    using enum ConvolutionAlgorithm;
    using kernels::WinogradTile;
    if (shape.type != ConvolutionType::fp32) return int8_estimates(shape, execution, choice);
    if (choice == ConvolutionChoice::direct) {
        return {direct_estimate(shape, execution, direct, 1)};
    }
    if (shape.plain_input) return {image_estimate(shape, execution)};
    std::vector<ConvolutionEstimate> estimates = {
        winograd_estimate(shape, execution, WinogradTile::f2, winograd_f2),
        winograd_estimate(shape, execution, WinogradTile::f4, winograd_f4),
        winograd_estimate(shape, execution, WinogradTile::f5, winograd_f5),
    };
    if (shape.input_channels <= most_channels_of_f6) {
        estimates.push_back(winograd_estimate(shape, execution, WinogradTile::f6, winograd_f6));
    }
    return estimates;
}

}  // namespace

double ConvolutionEstimate::cost() const {
    constexpr double not_hidden = 0.1;
    constexpr double bytes_a_hundredth = 2e6;
    const double time = std::max(arithmetic, memory) + not_hidden * std::min(arithmetic, memory);
    return time * (1 + weight_bytes / bytes_a_hundredth / 100);
}

std::vector<ConvolutionEstimate> convolution_estimates(const ConvolutionShape& shape,
                                                       const Execution& execution, ConvolutionChoice choice) {
    std::vector<ConvolutionEstimate> estimates;
    const bool onednn_may = choice == ConvolutionChoice::automatic || choice == ConvolutionChoice::onednn;
    if (onednn_may && onednn_supports(shape, execution)) {
        estimates.push_back(direct_estimate(shape, execution, ConvolutionAlgorithm::onednn, onednn_share));
    }
    if (choice != ConvolutionChoice::onednn || estimates.empty()) {
        const auto own = own_estimates(shape, execution, choice);
        estimates.insert(estimates.end(), own.begin(), own.end());
    }
    std::stable_sort(estimates.begin(), estimates.end(),
                     [](const auto& a, const auto& b) { return a.cost() < b.cost(); });
    return estimates;
}

}  // namespace vgg19::layers
