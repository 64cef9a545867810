#include "kernels/reference/winograd_int8.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/reference/winograd_int8_tiles.h"
#include "kernels/winograd_int8/tile_place.h"

namespace vgg19::kernels {

namespace {

constexpr std::size_t line = WinogradInt8::line_channels;
constexpr std::size_t group_channels = WinogradInt8::group_channels;

/// d: an input tile, row by row, which starts one pixel above and to the left of the output tile; zero
/// outside the map.
std::vector<std::int32_t> input_tile(const WinogradInt8& problem, const TilePlace& place,
                                     std::size_t channel) {
    const std::size_t side = problem.tile_side() + 2;
    std::vector<std::int32_t> tile(side * side);
    for (std::size_t i = 0; i < tile.size(); ++i) {
        // Unsigned: −1 wraps to a value past the end.
        const std::size_t row = place.row + i / side - 1;
        const std::size_t column = place.column + i % side - 1;
        if (row >= problem.height || column >= problem.width) continue;
        tile[i] = problem.input[blocked_index(problem.input_channels, problem.height, problem.width,
                                              int8_channel_block, place.image, channel, row, column)];
    }
    return tile;
}

void transform_input(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                     IndexRange input_blocks, std::uint8_t* transformed) {
    const std::size_t stride = problem.transformed_stride(extent.tiles.size());
    const bool small = problem.tile == WinogradInt8Tile::f2x2;
    const int bits = small ? 10 : 15;
    for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile) {
        const TilePlace place(problem, tile);
        const std::size_t end =
            std::min(input_blocks.end * line, problem.activation_blocks() * int8_channel_block);
        for (std::size_t channel = input_blocks.begin * line; channel < end; ++channel) {
            const std::vector<std::int32_t> pixels = input_tile(problem, place, channel);
            const std::vector<std::int32_t> values =
                small ? reference_input_f2x2(pixels) : reference_input_f4x4(pixels);
            std::uint8_t* target = transformed +
                                   (channel / line * extent.tiles.size() + tile - extent.tiles.begin) * line +
                                   channel % line;
            for (std::size_t position = 0; position < values.size(); ++position) {
                const std::int32_t scaled =
                    (values[position] * problem.input_multiplier[position] + (1 << (bits - 1))) >> bits;
                target[position * stride] = static_cast<std::uint8_t>(
                    std::clamp(scaled + winograd_int8_zero_point(position), 0, 255));
            }
        }
    }
}

/// M of one position and tile, for each output channel of the group. `transformed` points to the first input
/// block, `packed` to the position.
void sum_products(const WinogradInt8& problem, std::size_t tile_count, const std::uint8_t* transformed,
                  const std::int8_t* packed, std::size_t lanes, std::int32_t* sums) {
    std::copy_n(reinterpret_cast<const std::int32_t*>(packed), lanes, sums);
    const std::int8_t* filters = packed + lanes * sizeof(std::int32_t);
    for (std::size_t channel = 0; channel < problem.input_channels; ++channel) {
        const std::int32_t v = transformed[channel / line * tile_count * line + channel % line];
        const std::int8_t* u = filters + channel / WinogradInt8::quad * lanes * WinogradInt8::quad +
                               channel % WinogradInt8::quad;
        for (std::size_t lane = 0; lane < lanes; ++lane) sums[lane] += v * u[lane * WinogradInt8::quad];
    }
}

/// y for one tile and output channel, row by row; `products` are [position], `stride` apart.
std::vector<float> output_pixels(const WinogradInt8& problem, std::size_t channel,
                                 const std::int32_t* products, std::size_t stride) {
    ReferenceProducts scaled{.x = std::vector<float>(problem.positions()),
                             .k = std::vector<float>(problem.positions()),
                             .bias = problem.bias[channel]};
    for (std::size_t position = 0; position < problem.positions(); ++position) {
        scaled.x[position] = static_cast<float>(products[position * stride]);
        scaled.k[position] = problem.multiplier[position * problem.padded_output_channels() + channel];
    }
    return problem.tile == WinogradInt8Tile::f2x2 ? reference_output_f2x2(scaled)
                                                  : reference_output_f4x4(scaled);
}

void store(const WinogradInt8& problem, std::size_t image, std::size_t channel, std::size_t row,
           std::size_t column, float y) {
    const std::size_t shrink = problem.pool ? 2 : 1;
    const Int8ConvolutionOutput& output = problem.output;
    const std::size_t block = output.quantized != nullptr ? int8_channel_block : output.float_block;
    const std::size_t height = problem.height / shrink;
    const std::size_t width = problem.width / shrink;
    if (row >= height || column >= width) return;
    if (channel >= blocks_of(problem.output_channels, block) * block) return;
    const std::size_t index =
        blocked_index(problem.output_channels, height, width, block, image, channel, row, column);
    const bool relu = output.relu || output.quantized != nullptr;
    const float value = relu && !(y > 0.0F) ? 0.0F : y;
    if (output.quantized != nullptr) {
        output.quantized[index] = static_cast<std::uint8_t>(std::nearbyint(value < 255.0F ? value : 255.0F));
    } else {
        output.floats[index] = value;
    }
}

/// `y` are the pixels of one tile, row by row.
void store_tile(const WinogradInt8& problem, const TilePlace& place, std::size_t channel,
                const std::vector<float>& y) {
    const std::size_t side = problem.tile_side();
    for (std::size_t i = 0; i < side; ++i) {
        for (std::size_t j = 0; j < side; ++j) {
            if (!problem.pool) {
                store(problem, place.image, channel, place.row + i, place.column + j, y[i * side + j]);
            } else if (i % 2 == 0 && j % 2 == 0) {
                const float* corner = &y[i * side + j];
                store(problem, place.image, channel, (place.row + i) / 2, (place.column + j) / 2,
                      std::max({corner[0], corner[1], corner[side], corner[side + 1]}));
            }
        }
    }
}

void multiply(const WinogradInt8& problem, const WinogradExtent& extent, IndexRange wanted, IndexRange groups,
              const std::uint8_t* transformed, std::int32_t* products) {
    const std::size_t tiles = extent.tiles.size();
    for (std::size_t group = groups.begin; group < groups.end; ++group) {
        const std::size_t lanes = problem.group_lanes(group);
        for (std::size_t position = wanted.begin; position < wanted.end; ++position) {
            const std::int8_t* packed = problem.weights + problem.packed_group(group) +
                                        position * problem.packed_position_size(group);
            const std::uint8_t* v = transformed + position * problem.transformed_stride(tiles);
            std::int32_t* sums = products + position * WinogradInt8::product_stride(extent) +
                                 WinogradInt8::product_offset(extent, group);
            for (std::size_t tile = 0; tile < tiles; ++tile) {
                sum_products(problem, tiles, v + tile * line, packed, lanes, sums + tile * lanes);
            }
        }
    }
}

void transform_output(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                      IndexRange groups, const std::int32_t* products) {
    const std::size_t stride = WinogradInt8::product_stride(extent);
    for (std::size_t group = groups.begin; group < groups.end; ++group) {
        const std::size_t lanes = problem.group_lanes(group);
        const std::int32_t* sums = products + WinogradInt8::product_offset(extent, group);
        for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile) {
            const TilePlace place(problem, tile);
            for (std::size_t lane = 0; lane < group_channels; ++lane) {
                const std::size_t channel = group * group_channels + lane;
                const std::vector<float> y =
                    lane < lanes ? output_pixels(problem, channel,
                                                 sums + (tile - extent.tiles.begin) * lanes + lane, stride)
                                 : std::vector<float>(problem.tile_side() * problem.tile_side());
                store_tile(problem, place, channel, y);
            }
        }
    }
}

}  // namespace

const WinogradInt8Steps winograd_int8_reference = {transform_input, multiply, transform_output};

}  // namespace vgg19::kernels
