// The gradient of the filters of a 3×3 FP32 convolution of stride 1 and padding 1, by Winograd's minimal
// filtering:
//
//   weights_gradient[o][i][u][v] += Σ_{b,y,x} input[b][i][y + u − 1][x + v − 1] · output_gradient[b][o][y][x]
//   bias_gradient[o]             += Σ_{b,y,x} output_gradient[b][o][y][x]
//
// The forward algorithm (kernels/winograd/winograd.h) is linear in the filter g, so its gradient is the
// algorithm transposed:
//
//   ∂g = Gᵀ [ Σ_tiles (Bᵀ d B) ⊙ (A ∂Y Aᵀ) ] G
//
// with the n×n tiles d of the input and the m×m tiles ∂Y of the output's gradient. The sum over tiles is, at
// each of the n² positions, a matrix product (input channels × tiles) · (tiles × output channels).
#pragma once

#include <array>
#include <cstddef>

#include "kernels/winograd/winograd.h"

namespace vgg19::kernels {

/// The tiles that kernels have.
inline constexpr std::array winograd_gradient_tiles = {WinogradTile{2, 2}, WinogradTile{4, 4},
                                                       WinogradTile{5, 5}, WinogradTile{6, 6}};

struct WinogradGradient {
    /// The forward convolution's tile, one of winograd_gradient_tiles, shape and input. Weights, bias and
    /// output are not used.
    Winograd forward;
    const float* output_gradient = nullptr;  ///< [batch][⌈output_channels / block⌉][height][width][block]
    float* weights_gradient = nullptr;       ///< [output_channels][input_channels][3][3], added to
    float* bias_gradient = nullptr;          ///< [output_channels], added to

    /// Output channels are multiplied in groups of nearly equal size, with at most this many blocks.
    static constexpr std::size_t most_group_blocks = 3;
    std::size_t groups() const { return blocks_of(forward.output_blocks(), most_group_blocks); }

    std::size_t input_lanes() const { return forward.input_blocks() * forward.block; }
    std::size_t output_lanes() const { return forward.output_blocks() * forward.block; }
    /// The distance in floats between positions of the transformed gradient D[position][output
    /// block][tile][lane]: one cache line more than needed, as for V.
    std::size_t transformed_stride(std::size_t tile_count) const {
        return (forward.output_blocks() * tile_count + 1) * forward.block;
    }
    std::size_t transformed_size(std::size_t tile_count) const {
        return forward.positions() * transformed_stride(tile_count);
    }
    /// The size in floats of the sums: [position][group][input channel][block of the group][lane].
    std::size_t sums_size() const { return forward.positions() * input_lanes() * output_lanes(); }
};

/// Blocks [begin, end) of output channels.
struct BlockRange {
    std::size_t begin;
    std::size_t end;
};

/// The steps of one kernel. V comes from transform_input of kernels/winograd for the same ISA.
struct WinogradGradientSteps {
    /// Computes D for these tiles and output blocks; adds the tiles' pixels to bias_sums[output channel].
    void (*transform_gradient)(const WinogradGradient& problem, TileRange tiles, BlockRange blocks,
                               float* transformed, float* bias_sums);
    /// Adds one position's products over all tiles to its sums, for one group of output channels.
    void (*multiply)(const WinogradGradient& problem, std::size_t tile_count, std::size_t position,
                     std::size_t group, const float* transformed_input, const float* transformed_gradient,
                     float* sums);
    /// Adds Gᵀ · sums · G to the gradients of the weights of one group of output channels.
    void (*finish)(const WinogradGradient& problem, std::size_t group, const float* sums);
};

VGG19_KERNELS(VGG19_FLOAT_ISAS, const WinogradGradientSteps, winograd_gradient)

/// The cheapest tile for this forward convolution.
WinogradTile winograd_gradient_tile(Winograd forward);

/// The number of floats of scratch memory for winograd_gradient.
std::size_t winograd_gradient_scratch_size(const WinogradGradient& problem);

/// Computes all of it, for the ISA that has the problem's block. `scratch` is aligned to 64 bytes. The bits
/// do not depend on the number of threads.
void winograd_gradient(const WinogradGradient& problem, Isa isa, int threads, float* scratch);

}  // namespace vgg19::kernels
