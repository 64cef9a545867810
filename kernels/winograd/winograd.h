// 3×3 FP32 convolution of stride 1 and padding 1 by Winograd's minimal filtering, with bias, ReLU and an
// optional 2×2 max-pool.
//
// An m×k tile of the output comes from an (m + 2)×(k + 2) tile d of the input and the filter g:
//
//   Y = Aᵀ_m [ Σ_channels (G_m g G_kᵀ) ⊙ (Bᵀ_m d B_k) ] A_k
//
// The sum over channels is, at each of the (m + 2) · (k + 2) positions, a matrix product (tiles × input
// channels) · (input channels × output channels). Matrices follow Toom and Cook from the interpolation points
// 0, ±p₁, ±p₂, …, ∞ (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016; points chosen
// for accuracy: kernels/winograd/matrices.h).
//
// The work has three steps, so that the caller can divide tiles, positions or channels among threads:
//   transform_input    input → V[position][input block][tile][lane]
//   multiply           V and filters → products M[position][group][tile][lane of the group]
//   transform_output   M → output (inverse transform, bias, ReLU, pool)
// with a block of channels as in kernels/common/blocked_layout.h. The sum over channels is taken in the same
// order whatever the ranges are, so any split gives the same bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/common/blocked_layout.h"
#include "kernels/isa/kernel_list.h"
#include "kernels/relu/output_bits.h"

namespace vgg19::kernels {

/// An output tile.
struct WinogradTile {
    std::uint8_t rows = 0;
    std::uint8_t columns = 0;

    /// Whether no window of a 2×2 pool spans two tiles.
    constexpr bool keeps_pool_windows() const { return rows % 2 == 0 && columns % 2 == 0; }
    // Inlined also where nothing else is: a unit of one ISA may not leave it to the linker.
    [[gnu::always_inline]] friend constexpr bool operator==(const WinogradTile&,
                                                            const WinogradTile&) = default;
};

/// The tiles that kernels have.
inline constexpr std::array winograd_tiles = {
    WinogradTile{2, 2}, WinogradTile{2, 4}, WinogradTile{2, 5}, WinogradTile{2, 7}, WinogradTile{4, 4},
    WinogradTile{4, 7}, WinogradTile{4, 8}, WinogradTile{5, 5}, WinogradTile{6, 6},
};

/// Indices [begin, end): of tiles (counted through rows, columns and images), of positions, of blocks of
/// input channels, or of groups of output channels.
struct IndexRange {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t size() const { return end - begin; }
};
using TileRange = IndexRange;

/// What the memory of V and of the products M holds.
struct WinogradExtent {
    TileRange tiles;    ///< of V and M
    IndexRange groups;  ///< of M: groups of output channels
};

struct Winograd {
    WinogradTile tile = {4, 4};
    std::size_t batch = 1;
    std::size_t input_channels = 0;
    std::size_t output_channels = 0;
    std::size_t height = 0;  ///< of input and of output before the pool, like the width
    std::size_t width = 0;
    std::size_t block = 0;  ///< channels per block: that of the kernel's ISA
    /// 2×2 max-pool of stride 2 after ReLU; an odd last row or column is dropped. Only for tiles that keep
    /// its windows.
    bool pool = false;
    bool relu = true;  ///< false for gradients
    /// The gradient with respect to the input of a convolution with output_channels inputs and input_channels
    /// outputs: pack_weights takes that convolution's filters, [input_channels][output_channels][3][3], and
    /// rotates each by 180°.
    bool transposed = false;
    const float* input = nullptr;    ///< [batch][⌈input_channels / block⌉][height][width][block]
    const float* weights = nullptr;  ///< packed by pack_weights
    const float* bias = nullptr;     ///< [⌈output_channels / block⌉ · block], zero past the last channel
    float* output = nullptr;         ///< also blocked; half the height and width if pooled
    OutputBits bits;                 ///< of the output; not with a pool

    std::size_t positions() const { return (tile.rows + std::size_t{2}) * (tile.columns + std::size_t{2}); }
    std::size_t tile_rows() const { return blocks_of(height, tile.rows); }
    std::size_t tile_columns() const { return blocks_of(width, tile.columns); }
    std::size_t tiles() const { return batch * tile_rows() * tile_columns(); }
    std::size_t input_blocks() const { return blocks_of(input_channels, block); }
    std::size_t output_blocks() const { return blocks_of(output_channels, block); }
    /// Output channels are computed in groups of this many blocks; the last group may have one block less.
    static constexpr std::size_t group_blocks = 2;
    std::size_t groups() const { return blocks_of(output_blocks(), group_blocks); }
    [[gnu::always_inline]] std::size_t group_size(std::size_t group) const {
        return group * group_blocks + group_blocks <= output_blocks() ? group_blocks : 1;
    }
    /// Products are summed over chunks of this many input channels, and then over the chunks. The filters of
    /// a chunk and group stay in the L1 cache, and the sums' rounding errors grow with the chunk's length
    /// instead of with that of all channels.
    static constexpr std::size_t chunk_channels = 64;
    /// Operations (multiplications and additions) of the matrix products; the transforms add about a tenth.
    std::uint64_t operations() const {
        return std::uint64_t{2} * positions() * tiles() * input_channels * output_channels;
    }

    /// The distance in floats between positions of V and of the products: one cache line more than needed,
    /// which avoids cache-set conflicts between positions.
    std::size_t transformed_stride(std::size_t tile_count) const {
        return (input_blocks() * tile_count + 1) * block;
    }
    std::size_t product_stride(const WinogradExtent& extent) const {
        return (group_blocks * extent.groups.size() * extent.tiles.size() + 1) * block;
    }
    /// The sizes in floats of V for `tile_count` tiles, and of the products.
    std::size_t transformed_size(std::size_t tile_count) const {
        return positions() * transformed_stride(tile_count);
    }
    std::size_t product_size(const WinogradExtent& extent) const {
        return positions() * product_stride(extent);
    }
    /// The size in floats of packed weights: [group][position][input channel, padded to blocks][block of the
    /// group][lane].
    [[gnu::always_inline]] std::size_t packed_group_size(std::size_t group) const {
        return positions() * input_blocks() * block * group_size(group) * block;
    }
    std::size_t packed_size() const { return positions() * input_blocks() * block * output_blocks() * block; }
};

/// The steps of one kernel. V and M are aligned to 64 bytes. Calls with different ranges may run
/// concurrently.
struct WinogradSteps {
    /// Transforms input blocks of the tiles.
    void (*transform_input)(const Winograd& problem, const WinogradExtent& extent, TileRange tiles,
                            IndexRange input_blocks, float* transformed);
    /// Computes all tiles' products at the positions, for the groups.
    void (*multiply)(const Winograd& problem, const WinogradExtent& extent, IndexRange positions,
                     IndexRange groups, const float* transformed, float* products);
    /// Computes the tiles' output for the groups.
    void (*transform_output)(const Winograd& problem, const WinogradExtent& extent, TileRange tiles,
                             IndexRange groups, const float* products);
    /// Transforms a group's filters, from [output_channels][input_channels][3][3], and writes them to the
    /// group's position in `packed`.
    void (*pack_weights)(const Winograd& problem, std::size_t group, const float* weights, float* packed);
};

VGG19_KERNELS(VGG19_FLOAT_ISAS, const WinogradSteps, winograd)

}  // namespace vgg19::kernels
