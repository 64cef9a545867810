// The matrix products between the transforms, over a vector type (steps.h says what it has).
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "kernels/simd/unrolled.h"
#include "kernels/winograd/winograd.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// The number of tiles in a register tile: the sums for two vectors of channels, two filters and a pixel fill
/// the registers, 14 tiles with 32 registers, 6 with 16.
template <class Vector>
constexpr std::size_t winograd_rows = (Vector::registers - 3) / 2;

/// The matrix products of one position: `rows` tiles × `columns` vectors of output channels, over all input
/// channels.
template <class Vector, std::size_t rows, std::size_t columns>
inline __attribute__((always_inline)) void multiply_tile(const float* transformed, std::size_t block_stride,
                                                         std::size_t input_blocks, const float* weights,
                                                         float* products) {
    constexpr std::size_t lanes = Vector::width;
    constexpr std::size_t ahead = 40;  // input channels
    typename Vector::Register sums[rows][columns];
    unrolled<rows>([&](auto row) __attribute__((always_inline)) {
        unrolled<columns>([&](auto column)
                              __attribute__((always_inline)) { sums[row][column] = Vector::zero(); });
    });
    for (std::size_t block = 0; block < input_blocks; ++block, transformed += block_stride) {
#pragma GCC unroll 4
        for (std::size_t lane = 0; lane < lanes; ++lane, weights += columns * lanes) {
            // Filters come from memory, and the hardware's own prefetcher stops at the end of each page.
            unrolled<columns>([&](auto column) __attribute__((always_inline)) {
                __builtin_prefetch(weights + (ahead * columns + column) * lanes);
            });
            typename Vector::Register filters[columns];
            unrolled<columns>([&](auto column) __attribute__((always_inline)) {
                filters[column] = Vector::load(weights + column * lanes);
            });
            unrolled<rows>([&](auto row) __attribute__((always_inline)) {
                const auto value = Vector::broadcast(transformed[row * lanes + lane]);
                unrolled<columns>([&](auto column) __attribute__((always_inline)) {
                    sums[row][column] = Vector::multiply_add(value, filters[column], sums[row][column]);
                });
            });
        }
    }
    unrolled<rows>([&](auto row) __attribute__((always_inline)) {
        unrolled<columns>([&](auto column) __attribute__((always_inline)) {
            Vector::store(products + (row * columns + column) * lanes, sums[row][column]);
        });
    });
}

template <class Vector, std::size_t columns>
struct WinogradProducts {
    using Multiply = void (*)(const float*, std::size_t, std::size_t, const float*, float*);

    template <std::size_t rows>
    static void multiply_rows(const float* transformed, std::size_t block_stride, std::size_t input_blocks,
                              const float* weights, float* products) {
        multiply_tile<Vector, rows, columns>(transformed, block_stride, input_blocks, weights, products);
    }

    static constexpr auto by_rows = []<std::size_t... index>(std::index_sequence<index...>) {
        return std::array<Multiply, winograd_rows<Vector>>{multiply_rows<index + 1>...};
    }
    (std::make_index_sequence<winograd_rows<Vector>>{});

    /// Computes positions of one group of output channels. `weights` and `products` are the group's.
    static void run(const Winograd& problem, const WinogradExtent& extent, IndexRange positions,
                    const float* transformed, const float* weights, float* products) {
        const std::size_t tile_count = extent.tiles.size();
        constexpr std::size_t lanes = Vector::width;
        const std::size_t inputs = problem.input_blocks();
        // Register tiles have nearly equal heights: 49 tiles as 10 10 10 10 9 cost less than as 12 12 12 12
        // 1.
        const std::size_t parts = (tile_count + winograd_rows<Vector> - 1) / winograd_rows<Vector>;
        for (std::size_t position = positions.begin; position < positions.end; ++position) {
            const float* position_tiles = transformed + position * problem.transformed_stride(tile_count);
            const float* position_weights = weights + position * inputs * lanes * columns * lanes;
            float* position_products = products + position * problem.product_stride(extent);
            for (std::size_t part = 0; part < parts; ++part) {
                const std::size_t begin = tile_count * part / parts;
                const std::size_t end = tile_count * (part + 1) / parts;
                by_rows[end - begin - 1](position_tiles + begin * lanes, tile_count * lanes, inputs,
                                         position_weights, position_products + begin * columns * lanes);
            }
        }
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
