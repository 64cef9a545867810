// The kernel, over a vector type (kernels/simd/vector.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "kernels/relu/bits.h"
#include "kernels/simd/unrolled.h"
#include "kernels/winograd/row_transforms.h"
#include "kernels/winograd_image/winograd_image.h"

namespace vgg19::kernels::VGG19_ISA {
namespace {

/// Clears the rest of the output's last block, after the kernel's last block, which is smaller.
inline void clear_padding(const WinogradImage& problem, std::size_t image, std::size_t row) {
    const std::size_t first = problem.output_blocks() * problem.block;
    const std::size_t padding = blocks_of(first, int8_channel_block) * int8_channel_block - first;
    if (padding == 0) return;
    std::uint8_t* pixel =
        problem.quantized_output + blocked_index(problem.output_channels, problem.height, problem.width,
                                                 int8_channel_block, image, first, row, 0);
    for (std::size_t column = 0; column < problem.width; ++column, pixel += int8_channel_block) {
        std::fill_n(pixel, padding, std::uint8_t{0});
    }
}

/// The transformed input is a ring buffer with as many rows as the filter, so that each row is transformed
/// once for the three output rows that use it: [slot][input channel][tile / lanes][position][tile % lanes].
template <class Vector>
struct WinogradImageKernel {
    using Register = typename Vector::Register;
    static constexpr std::size_t lanes = Vector::width;
    static constexpr std::size_t positions = WinogradImage::positions;
    static constexpr std::size_t tile_width = WinogradImage::tile_width;
    static constexpr std::size_t filter_rows = WinogradImage::filter_rows;
    /// A register tile sums this many positions at a time, for several tiles and all blocks of a group: 3 × 2
    /// × 2 sums, 2 filters and a pixel fill 15 of AVX2's 16 registers, with one load per product. AVX-512's
    /// 32 registers would hold more tiles or all positions, but then compilers spill sums to memory.
    static constexpr std::size_t half = positions / 2;
    static constexpr std::size_t register_tiles = 2;
    static_assert(WinogradImage::widest_vector % lanes == 0 && lanes % register_tiles == 0);

    /// Bᵀ d for all tiles of one channel's row. `pixels` begins with the pixel before the first tile.
    static void transform_pixels(const float* pixels, std::size_t tiles, float* transformed) {
        for (std::size_t tile = 0; tile < tiles; tile += lanes, transformed += positions * lanes) {
            std::array<Register, positions> d{};
            std::array<Register, positions> result{};
            unrolled<positions>([&](auto k) __attribute__((always_inline)) {
                d[k] = Vector::load_every_fourth(pixels + tile * tile_width + k);
            });
            transform_input_row<tile_width, Vector>(d.data(), result.data());
            unrolled<positions>([&](auto k) __attribute__((always_inline)) {
                Vector::store(transformed + k * lanes, result[k]);
            });
        }
    }

    /// Transforms one input row of all channels, with zeros outside the map; padded row 0 is row −1.
    static void transform_row(const WinogradImage& problem, std::size_t image, std::size_t padded_row,
                              float* padded, float* transformed) {
        if (padded_row == 0 || padded_row > problem.height) {
            std::fill_n(transformed, problem.transformed_row_size(), 0.0F);
            return;
        }
        for (std::size_t channel = 0; channel < problem.input_channels; ++channel) {
            const float* pixels =
                problem.input +
                ((image * problem.input_channels + channel) * problem.height + padded_row - 1) *
                    problem.width;
            std::copy_n(pixels, problem.width, padded + 1);
            transform_pixels(padded, problem.padded_tiles(),
                             transformed + channel * positions * problem.padded_tiles());
        }
    }

    /// Common to all tiles of an output row and group of channels. Outputs are floats or bytes.
    template <class Output>
    struct OutputRow {
        const WinogradImage* problem;
        std::size_t input_channels;
        std::size_t channel_stride;  ///< floats between channels of the transformed input
        std::array<const float*, filter_rows> transformed;
        const float* weights;
        const float* bias;
        Output* output;
        std::size_t block_stride;  ///< values between blocks of the kernel's channels
        std::size_t width;         ///< pixels
        float inverse_scale;       ///< of bytes
        float least;               ///< 0 for ReLU, else −∞
    };

    /// Channels per block of the output.
    template <class Output>
    static constexpr std::size_t output_block = sizeof(Output) == 1 ? int8_channel_block : lanes;

    /// The sums of a register tile.
    template <std::size_t tiles, std::size_t blocks>
    using Sums = std::array<std::array<std::array<Register, positions>, blocks>, tiles>;

    /// Σ_c Σ_r (G g_cr) ⊙ (Bᵀ d_cr) for half of the positions, from `first` on.
    template <std::size_t tiles, std::size_t blocks, class Output>
    static inline __attribute__((always_inline)) void multiply(const OutputRow<Output>& row, std::size_t tile,
                                                               std::size_t first, Sums<tiles, blocks>& sums) {
        const float* weights = row.weights + first * blocks * lanes;
        std::size_t place = (tile / lanes * positions + first) * lanes + tile % lanes;
        for (std::size_t channel = 0; channel < row.input_channels; ++channel) {
            unrolled<filter_rows>([&](auto r) __attribute__((always_inline)) {
                const float* values = row.transformed[r] + place;
                unrolled<half>([&](auto position) __attribute__((always_inline)) {
                    std::array<Register, blocks> filters{};
                    unrolled<blocks>([&](auto block) __attribute__((always_inline)) {
                        filters[block] = Vector::load_once(weights + (position * blocks + block) * lanes);
                    });
                    unrolled<tiles>([&](auto t) __attribute__((always_inline)) {
                        const Register value = Vector::broadcast(values[position * lanes + t]);
                        unrolled<blocks>([&](auto block) __attribute__((always_inline)) {
                            Register& sum = sums[t][block][first + position];
                            sum = Vector::multiply_add(value, filters[block], sum);
                        });
                    });
                });
                weights += positions * blocks * lanes;
            });
            place += row.channel_stride;
        }
    }

    /// The output is larger than the L2 cache, and a store that misses holds up those behind it.
    static constexpr std::size_t prefetch_bytes = 4096;

    static void store(float* to, Register value, float /*inverse_scale*/) {
        Vector::prefetch_for_write(to + prefetch_bytes / sizeof(float));
        Vector::store(to, value);
    }
    static void store(std::uint8_t* to, Register value, float inverse_scale) {
        Vector::prefetch_for_write(to + prefetch_bytes);
        Vector::store_quantized(to, Vector::multiply(value, Vector::broadcast(inverse_scale)));
    }

    /// Stores the first `columns` pixels with the bits of the output; `first` is an index in the output. In a
    /// function of its own that gets a copy, so that the common case keeps its pixels in registers.
    static __attribute__((noinline)) void store_with_bits(const WinogradImage& problem,
                                                          std::array<Register, tile_width> pixels,
                                                          std::size_t first, std::size_t columns) {
        for (std::size_t k = 0; k < tile_width && k < columns; ++k) {
            const std::size_t index = first + k * lanes;
            store(problem.output + index, with_bits<Vector>(problem.bits, index, pixels[k]), 1.0F);
        }
    }

    /// Applies Aᵀ, bias and ReLU to the sums of one tile and block; writes the first `columns` pixels. `bias`
    /// is the block's.
    template <class Output>
    static inline __attribute__((always_inline)) void finish(const std::array<Register, positions>& sums,
                                                             const OutputRow<Output>& row, const float* bias,
                                                             Output* output, std::size_t columns) {
        constexpr std::size_t stride = output_block<Output>;
        std::array<Register, tile_width> pixels{};
        transform_output_row<tile_width, Vector>(sums.data(), pixels.data());
        const Register bias_lanes = Vector::load(bias);
        const Register least = Vector::broadcast(row.least);
        unrolled<tile_width>([&](auto k) __attribute__((always_inline)) {
            pixels[k] = Vector::maximum(Vector::add(pixels[k], bias_lanes), least);
        });
        if constexpr (sizeof(Output) == sizeof(float)) {
            if (row.problem->bits.any()) {
                return store_with_bits(*row.problem, pixels,
                                       static_cast<std::size_t>(output - row.problem->output), columns);
            }
        }
        if (columns >= tile_width) {
            unrolled<tile_width>([&](auto k) __attribute__((always_inline)) {
                store(output + k * stride, pixels[k], row.inverse_scale);
            });
        } else {
            unrolled<tile_width - 1>([&](auto k) __attribute__((always_inline)) {
                if (k < columns) store(output + k * stride, pixels[k], row.inverse_scale);
            });
        }
    }

    template <std::size_t tiles, std::size_t blocks, class Output>
    static inline __attribute__((always_inline)) void output_tiles(const OutputRow<Output>& row,
                                                                   std::size_t tile) {
        Sums<tiles, blocks> sums;
        unrolled<tiles * blocks * positions>([&](auto k) __attribute__((always_inline)) {
            sums[k / (blocks * positions)][k / positions % blocks][k % positions] = Vector::zero();
        });
        unrolled<2>([&](auto part) __attribute__((always_inline)) {
            multiply<tiles, blocks>(row, tile, part * half, sums);
        });
        unrolled<tiles>([&](auto t) __attribute__((always_inline)) {
            const std::size_t column = (tile + t) * tile_width;
            unrolled<blocks>([&](auto block) __attribute__((always_inline)) {
                finish(sums[t][block], row, row.bias + block * lanes,
                       row.output + block * row.block_stride + column * output_block<Output>,
                       row.width - column);
            });
        });
    }

    template <std::size_t blocks, class Output>
    static void output_row(const OutputRow<Output> row, std::size_t tiles) {
        std::size_t tile = 0;
        for (; tile + register_tiles <= tiles; tile += register_tiles) {
            output_tiles<register_tiles, blocks>(row, tile);
        }
        for (; tile < tiles; ++tile) output_tiles<1, blocks>(row, tile);
    }

    /// Computes all groups of channels of an output row.
    template <class Output>
    static void output_groups(const WinogradImage& problem, Output* output, std::size_t image, std::size_t y,
                              const std::array<const float*, filter_rows>& transformed) {
        constexpr std::size_t group_blocks = WinogradImage::group_blocks;
        static_assert(int8_channel_block % (group_blocks * lanes) == 0);
        constexpr bool bytes = sizeof(Output) == 1;
        for (std::size_t block = 0; block < problem.output_blocks(); block += group_blocks) {
            const OutputRow<Output> row = {
                .problem = &problem,
                .input_channels = problem.input_channels,
                .channel_stride = positions * problem.padded_tiles(),
                .transformed = transformed,
                .weights = problem.weights + problem.packed_group(block / group_blocks),
                .bias = problem.bias + block * lanes,
                .output = output + blocked_index(problem.output_channels, problem.height, problem.width,
                                                 output_block<Output>, image, block * lanes, y, 0),
                .block_stride = bytes ? lanes : problem.height * problem.width * lanes,
                .width = problem.width,
                .inverse_scale = problem.output_inverse_scale,
                .least = bytes || problem.relu ? 0.0F : -std::numeric_limits<float>::infinity(),
            };
            if (block + group_blocks <= problem.output_blocks()) {
                output_row<group_blocks>(row, problem.tiles());
            } else {
                output_row<1>(row, problem.tiles());
            }
        }
    }

    static void run(const WinogradImage& problem, std::size_t row_begin, std::size_t row_end,
                    float* scratch) {
        const std::size_t row_size = problem.transformed_row_size();
        float* padded = scratch + filter_rows * row_size;
        std::fill_n(padded, problem.padded_width(), 0.0F);
        const auto slot = [&](std::size_t padded_row) {
            return scratch + padded_row % filter_rows * row_size;
        };
        for (std::size_t row = row_begin; row < row_end; ++row) {
            const std::size_t image = row / problem.height;
            const std::size_t y = row % problem.height;
            // The other rows are still in the ring from the previous output row.
            const std::size_t first = row == row_begin || y == 0 ? y : y + filter_rows - 1;
            for (std::size_t padded_row = first; padded_row < y + filter_rows; ++padded_row) {
                transform_row(problem, image, padded_row, padded, slot(padded_row));
            }
            const std::array<const float*, filter_rows> transformed = {slot(y), slot(y + 1), slot(y + 2)};
            if (problem.quantized_output != nullptr) {
                output_groups(problem, problem.quantized_output, image, y, transformed);
                clear_padding(problem, image, y);
            } else {
                output_groups(problem, problem.output, image, y, transformed);
            }
        }
    }
};

}  // namespace
}  // namespace vgg19::kernels::VGG19_ISA
