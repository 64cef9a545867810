// The matrix products between the transforms, over a vector type (steps.h says what it has).
#pragma once

#include <algorithm>
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

/// The operands of the products of one register tile, of one chunk of input channels.
struct ChunkOperands {
    const float* transformed;  ///< V of the first tile and input block
    std::size_t block_stride;  ///< floats between input blocks of V
    std::size_t input_blocks;
    const float* filters;  ///< [input channel][vector of output channels][lane]
    const float* ahead;    ///< filters to be prefetched, `ahead_step` floats for each input channel
    std::size_t ahead_step;
    float* products;  ///< M of the first tile
    bool adds;        ///< to M; the first chunk starts it
};

/// `rows` tiles × `columns` vectors of output channels.
template <class Vector, std::size_t rows, std::size_t columns>
inline __attribute__((always_inline)) void multiply_tile(ChunkOperands chunk) {
    constexpr std::size_t lanes = Vector::width;
    using Register = typename Vector::Register;
    Register sums[rows][columns];
    unrolled<rows>([&](auto row) __attribute__((always_inline)) {
        unrolled<columns>([&](auto column)
                              __attribute__((always_inline)) { sums[row][column] = Vector::zero(); });
    });
    for (std::size_t block = 0; block < chunk.input_blocks; ++block) {
#pragma GCC unroll 4
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            unrolled<columns>([&](auto column) __attribute__((always_inline)) {
                __builtin_prefetch(chunk.ahead + column * lanes);
            });
            chunk.ahead += chunk.ahead_step;
            Register filters[columns];
            unrolled<columns>([&](auto column) __attribute__((always_inline)) {
                filters[column] = Vector::load(chunk.filters + column * lanes);
            });
            chunk.filters += columns * lanes;
            unrolled<rows>([&](auto row) __attribute__((always_inline)) {
                const auto value = Vector::broadcast(chunk.transformed[row * lanes + lane]);
                unrolled<columns>([&](auto column) __attribute__((always_inline)) {
                    sums[row][column] = Vector::multiply_add(value, filters[column], sums[row][column]);
                });
            });
        }
        chunk.transformed += chunk.block_stride;
    }
    if (chunk.adds) {
        unrolled<rows>([&](auto row) __attribute__((always_inline)) {
            unrolled<columns>([&](auto column) __attribute__((always_inline)) {
                float* place = chunk.products + (row * columns + column) * lanes;
                Vector::store(place, Vector::add(Vector::load(place), sums[row][column]));
            });
        });
    } else {
        unrolled<rows>([&](auto row) __attribute__((always_inline)) {
            unrolled<columns>([&](auto column) __attribute__((always_inline)) {
                Vector::store(chunk.products + (row * columns + column) * lanes, sums[row][column]);
            });
        });
    }
}

template <class Vector, std::size_t columns>
class WinogradProducts {
  public:
    /// Computes one position of one group of output channels: all its tiles for one chunk of input channels
    /// after the other, so that the chunk's filters stay in the L1 cache. `next` are the filters that will be
    /// multiplied next.
    static void run(const Winograd& problem, std::size_t tile_count, const float* transformed,
                    const float* filters, const float* next, float* products) {
        constexpr std::size_t chunk_blocks = Winograd::chunk_channels / lanes;
        const std::size_t block_stride = tile_count * lanes;
        const std::size_t inputs = problem.input_blocks();
        for (std::size_t block = 0; block < inputs; block += chunk_blocks) {
            const std::size_t blocks = std::min(chunk_blocks, inputs - block);
            const float* chunk = filters + block * lanes * columns * lanes;
            const bool last = block + blocks == inputs;
            run_chunk({.transformed = transformed + block * block_stride,
                       .block_stride = block_stride,
                       .input_blocks = blocks,
                       .filters = chunk,
                       .ahead = last ? next : chunk + blocks * lanes * columns * lanes,
                       .ahead_step = 0,
                       .products = products,
                       .adds = block > 0},
                      tile_count);
        }
    }

  private:
    static constexpr std::size_t lanes = Vector::width;
    using Multiply = void (*)(const ChunkOperands&);

    template <std::size_t rows>
    static void multiply_rows(const ChunkOperands& chunk) {
        multiply_tile<Vector, rows, columns>(chunk);
    }

    static constexpr auto by_rows = []<std::size_t... index>(std::index_sequence<index...>) {
        return std::array<Multiply, winograd_rows<Vector>>{multiply_rows<index + 1>...};
    }
    (std::make_index_sequence<winograd_rows<Vector>>{});

    /// Register tiles have nearly equal heights: 49 tiles as 13 12 12 12 cost less than as 14 14 14 7. Each
    /// prefetches its share of the next chunk.
    static void run_chunk(ChunkOperands chunk, std::size_t tile_count) {
        const std::size_t parts = (tile_count + winograd_rows<Vector> - 1) / winograd_rows<Vector>;
        const std::size_t fewest = tile_count / parts;
        const std::size_t with_one_more = tile_count % parts;
        chunk.ahead_step = blocks_of(columns * lanes, parts);
        for (std::size_t part = 0; part < parts; ++part) {
            const std::size_t rows = part < with_one_more ? fewest + 1 : fewest;
            by_rows[rows - 1](chunk);
            chunk.transformed += rows * lanes;
            chunk.products += rows * columns * lanes;
            chunk.ahead += chunk.input_blocks * lanes * chunk.ahead_step;
        }
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
