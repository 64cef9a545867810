// The selector, and the scalar kernel: the definition in loops, with sums in double. It shows what each step
// of the other kernels means.
#include "kernels/winograd/winograd.h"

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>

#include "kernels/winograd/matrices.h"
#include "kernels/winograd/pack.h"
#include "kernels/winograd/steps.h"

namespace vgg19::kernels {

namespace {

constexpr std::size_t lanes = 8;  // of a scalar kernel's channel block
constexpr std::size_t group_lanes = Winograd::group_blocks * lanes;

template <std::size_t rows, std::size_t columns>
using Matrix = std::array<std::array<double, columns>, rows>;

/// a x aᵀ
template <std::size_t rows, std::size_t columns>
Matrix<rows, rows> transform(const Matrix<rows, columns>& a, const Matrix<columns, columns>& x) {
    Matrix<rows, columns> left{};
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j) {
            for (std::size_t k = 0; k < columns; ++k) left[i][j] += a[i][k] * x[k][j];
        }
    }
    Matrix<rows, rows> result{};
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < rows; ++j) {
            for (std::size_t k = 0; k < columns; ++k) result[i][j] += left[i][k] * a[j][k];
        }
    }
    return result;
}

/// d: a tile of the input, which starts one pixel above and to the left of the output's; zero around the map.
template <std::size_t n>
Matrix<n, n> input_tile(const Winograd& problem, TilePlace place, std::size_t block, std::size_t lane) {
    const float* plane = problem.input + (place.image * problem.input_blocks() + block) * problem.height *
                                             problem.width * lanes;
    Matrix<n, n> tile{};
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            // Unsigned: −1 is past the end too.
            const std::size_t row = place.row + i - 1;
            const std::size_t column = place.column + j - 1;
            if (row >= problem.height || column >= problem.width) continue;
            tile[i][j] = double{plane[(row * problem.width + column) * lanes + lane]};
        }
    }
    return tile;
}

/// V = Bᵀ d B
template <std::size_t m>
void transform_input(const Winograd& problem, TileRange tiles, std::size_t block_begin, std::size_t block_end,
                     float* transformed) {
    constexpr std::size_t n = m + 2;
    const std::size_t stride = problem.transformed_stride(tiles.size());
    for (std::size_t block = block_begin; block < block_end; ++block) {
        for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile) {
            float* target = transformed + (block * tiles.size() + tile - tiles.begin) * lanes;
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                const auto values = transform(winograd_matrices<m>.input,
                                              input_tile<n>(problem, place_of(problem, tile), block, lane));
                for (std::size_t position = 0; position < n * n; ++position) {
                    target[position * stride + lane] = static_cast<float>(values[position / n][position % n]);
                }
            }
        }
    }
}

/// The channels of a group, padding included.
std::size_t padded_channels(const Winograd& problem, std::size_t group) {
    return std::min(group_lanes, problem.output_blocks() * lanes - group * group_lanes);
}

/// M = Σ_channels U ⊙ V of one position and tile: a value for each output channel of the group.
std::array<double, group_lanes> sum_of_products(const Winograd& problem, std::size_t tile_count,
                                                const float* transformed, const float* weights,
                                                std::size_t channels) {
    std::array<double, group_lanes> sums{};
    for (std::size_t input = 0; input < problem.input_blocks() * lanes; ++input) {
        const double value{transformed[input / lanes * tile_count * lanes + input % lanes]};
        for (std::size_t channel = 0; channel < channels; ++channel) {
            sums[channel] += value * double{weights[input * channels + channel]};
        }
    }
    return sums;
}

void multiply_positions(const Winograd& problem, std::size_t tile_count, std::size_t group,
                        const float* transformed, float* products) {
    const std::size_t channels = padded_channels(problem, group);
    // All groups before this one are full, so of the size of the first.
    const float* weights = problem.weights + group * problem.packed_group_size(0);
    for (std::size_t position = 0; position < problem.positions(); ++position) {
        for (std::size_t tile = 0; tile < tile_count; ++tile) {
            const auto sums = sum_of_products(
                problem, tile_count,
                transformed + position * problem.transformed_stride(tile_count) + tile * lanes,
                weights + position * problem.input_blocks() * lanes * channels, channels);
            float* target = products + position * problem.product_stride(tile_count) + tile * channels;
            for (std::size_t channel = 0; channel < channels; ++channel) {
                target[channel] = static_cast<float>(sums[channel]);
            }
        }
    }
}

/// Writes the pixels of a tile that lie in the map, or the maxima of the windows that do, at the place of one
/// output channel. With a pool m is even, and tiles start at multiples of it, so no window spans two tiles.
template <std::size_t m>
void store_tile(const Winograd& problem, TilePlace place, std::size_t channel, const Matrix<m, m>& pixels) {
    const std::size_t shrink = problem.pool ? 2 : 1;
    const std::size_t height = problem.height / shrink;
    const std::size_t width = problem.width / shrink;
    float* plane = problem.output +
                   (place.image * problem.output_blocks() + channel / lanes) * height * width * lanes +
                   channel % lanes;
    const std::size_t rows = std::min(m / shrink, height - place.row / shrink);
    const std::size_t columns = std::min(m / shrink, width - place.column / shrink);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j) {
            const double value = problem.pool
                                     ? std::max({pixels[2 * i][2 * j], pixels[2 * i][2 * j + 1],
                                                 pixels[2 * i + 1][2 * j], pixels[2 * i + 1][2 * j + 1]})
                                     : pixels[i][j];
            plane[((place.row / shrink + i) * width + place.column / shrink + j) * lanes] =
                static_cast<float>(value);
        }
    }
}

/// Y = Aᵀ M A, then bias and ReLU.
template <std::size_t m>
void transform_output(const Winograd& problem, TileRange tiles, std::size_t group, const float* products) {
    constexpr std::size_t n = m + 2;
    const std::size_t channels = padded_channels(problem, group);
    const std::size_t stride = problem.product_stride(tiles.size());
    for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile) {
        for (std::size_t channel = 0; channel < channels; ++channel) {
            const float* source = products + (tile - tiles.begin) * channels + channel;
            Matrix<n, n> values{};
            for (std::size_t position = 0; position < n * n; ++position) {
                values[position / n][position % n] = double{source[position * stride]};
            }
            Matrix<m, m> pixels = transform(winograd_matrices<m>.output, values);
            const double bias{problem.bias[group * group_lanes + channel]};
            const double least = problem.relu ? 0.0 : -std::numeric_limits<double>::infinity();
            for (auto& row : pixels) {
                for (double& pixel : row) pixel = std::max(pixel + bias, least);
            }
            store_tile<m>(problem, place_of(problem, tile), group * group_lanes + channel, pixels);
        }
    }
}

/// Calls body(m) with m a constant.
template <class Body>
void with_tile_side(WinogradTile tile, Body&& body) {
    switch (tile) {
        case WinogradTile::f2:
            return body(std::integral_constant<std::size_t, 2>{});
        case WinogradTile::f4:
            return body(std::integral_constant<std::size_t, 4>{});
        case WinogradTile::f5:
            return body(std::integral_constant<std::size_t, 5>{});
        case WinogradTile::f6:
            return body(std::integral_constant<std::size_t, 6>{});
    }
}

constexpr Kernel<const WinogradSteps> kernel_list[] = {
#define VGG19_KERNEL(name, isa) {#name, Isa::isa, &(name)},
#include "kernels/winograd/kernels.inc"
#undef VGG19_KERNEL
};

}  // namespace

const WinogradSteps winograd_scalar = {
    .transform_input =
        [](const Winograd& problem, TileRange tiles, std::size_t block_begin, std::size_t block_end,
           float* transformed) {
            with_tile_side(problem.tile, [&](auto m) {
                transform_input<m>(problem, tiles, block_begin, block_end, transformed);
            });
        },
    .multiply =
        [](const Winograd& problem, TileRange tiles, std::size_t group, const float* transformed,
           float* products) {
            multiply_positions(problem, tiles.size(), group, transformed, products);
            with_tile_side(problem.tile,
                           [&](auto m) { transform_output<m>(problem, tiles, group, products); });
        },
    .pack_weights = winograd_pack_group<lanes>,
};

std::span<const Kernel<const WinogradSteps>> winograd_kernels() {
    return kernel_list;
}

}  // namespace vgg19::kernels
