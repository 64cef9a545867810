// 3×3 INT8 convolution of stride 1 and padding 1 by Winograd's minimal filtering, with bias, ReLU, an
// optional 2×2 max-pool, and requantisation. There are two tiles: F(2×2, 3×3) is described here, F(4×4, 3×3)
// in kernels/winograd_int8/complex_points.h.
//
// A 2×2 tile of the output comes from a 4×4 tile d of 8-bit input and the 8-bit filters g of its channels c:
//
//   V = Bᵀ d B                                        16-bit integers, |V| ≤ 1020
//   v[p] = clamp((V[p] · input_multiplier[p] + 2^9 >> 10) + zero_point(p), 0, 255)
//   u[p][o][c] = round(127 · (G g Gᵀ)[p] / max_c |(G g Gᵀ)[p]|)                    in [−127, 127]
//                                                                                  halves away from zero
//   M[p][o] = Σ_c (v[p][c] − zero_point(p)) · u[p][o][c]                           exact, in 32 bits
//   y = Aᵀ [ float(M[p][o]) · multiplier[p][o] ] A + bias[o]
//
// at each of the 16 positions p, counted through rows, with
//
//        ⎡ 1  0 −1  0 ⎤        ⎡ 1   0   0 ⎤        ⎡ 1  1  1  0 ⎤
//   Bᵀ = ⎢ 0  1  1  0 ⎥    G = ⎢ ½   ½   ½ ⎥   Aᵀ = ⎣ 0  1 −1 −1 ⎦
//        ⎢ 0 −1  1  0 ⎥        ⎢ ½  −½   ½ ⎥
//        ⎣ 0  1  0 −1 ⎦        ⎣ 0   0   1 ⎦
//
// (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016) and the output of
// kernels/common/int8_output.h. Every ISA applies the same float operations, so that every kernel, split and
// thread count gives the same bits: with x = float(M), k = multiplier, s = (bias, 0, 0, −bias), and
// fma(a, b, c) = a · b + c rounded once, for each column j of positions
//
//   a[j] = fma(x[1][j], k[1][j], s[j])
//   t[0][j] = fma(x[0][j], k[0][j], fma(x[2][j], k[2][j], a[j]))
//   t[1][j] = fma(−x[3][j], k[3][j], fma(−x[2][j], k[2][j], a[j]))
//
// and for each row i of pixels
//
//   y[i][0] = t[i][0] + (t[i][1] + t[i][2]),   y[i][1] = (t[i][1] − t[i][2]) − t[i][3]
//
// The work has three steps, so that the caller can divide tiles, positions or channels among threads:
//   transform_input    input → v[position][input block][tile][lane], in blocks of 64 channels
//   multiply           v and filters → products M[position][group][tile][lane of the group]
//   transform_output   M → output (inverse transform, bias, ReLU, pool, requantisation)
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/common/blocked_layout.h"
#include "kernels/common/int8_output.h"
#include "kernels/isa/kernel_list.h"
#include "kernels/winograd/winograd.h"

namespace vgg19::kernels {

/// The tile of outputs, and the number of its positions: of products per tile, input channel and output
/// channel.
enum class WinogradInt8Tile : unsigned char { f2x2, f4x4 };
static constexpr std::size_t winograd_int8_tile_side(WinogradInt8Tile tile) {
    return tile == WinogradInt8Tile::f2x2 ? 2 : 4;
}
static constexpr std::size_t winograd_int8_positions(WinogradInt8Tile tile) {
    return tile == WinogradInt8Tile::f2x2 ? 16 : 46;
}
inline constexpr std::size_t winograd_int8_most_positions = 46;

/// Up to this number of input channels, sums fit 32 bits for all values: 255 · 127 · 66,000 < 2^31.
inline constexpr std::size_t winograd_int8_max_input_channels = 66000;

/// The zero point of the transformed inputs at a position, for both tiles. At the position that only adds
/// pixels nothing is negative; at the others, values are negative about as often as positive.
static constexpr std::uint8_t winograd_int8_zero_point(std::size_t position) {
    return position == 5 ? 0 : 128;
}

/// The value 1.0 in the fixed-point multipliers of transformed inputs, and the largest multiplier.
/// Transformed inputs are integers in units of the input's step, so that a finer step than that one gains
/// nothing.
static constexpr float winograd_int8_multiplier_one(WinogradInt8Tile tile) {
    return tile == WinogradInt8Tile::f2x2 ? 1024 : 32768;
}
inline constexpr float winograd_int8_largest_multiplier = 32767;

/// The fixed-point multiplier with the quantization step closest to `transformed_scale`, for inputs with
/// `input_scale`; both are positive.
static inline std::int16_t winograd_int8_input_multiplier(WinogradInt8Tile tile, float input_scale,
                                                          float transformed_scale) {
    const float multiplier = winograd_int8_multiplier_one(tile) * input_scale / transformed_scale;
    return static_cast<std::int16_t>(
        std::min(std::max(std::nearbyint(multiplier), 1.0F), winograd_int8_largest_multiplier));
}

struct WinogradInt8 {
    WinogradInt8Tile tile = WinogradInt8Tile::f2x2;
    std::size_t batch = 1;
    std::size_t input_channels = 0;
    std::size_t output_channels = 0;
    std::size_t height = 0;  ///< of input and of output before the pool, like the width
    std::size_t width = 0;
    bool pool = false;                    ///< 2×2, stride 2; an odd last row or column is dropped
    const std::uint8_t* input = nullptr;  ///< blocked by int8_channel_block
    /// winograd_int8_multiplier_one / the quantization step of a transformed input at each position, in units
    /// of the input's step: in [1, 32767].
    std::array<std::int16_t, winograd_int8_most_positions> input_multiplier{};
    const std::int8_t* weights = nullptr;  ///< packed by winograd_int8_pack, aligned to 64 bytes
    const float* multiplier = nullptr;     ///< [position][padded_output_channels()]
    const float* bias = nullptr;           ///< [padded_output_channels()], zero for padding channels
    Int8ConvolutionOutput output;

    std::size_t positions() const { return winograd_int8_positions(tile); }
    std::size_t tile_side() const { return winograd_int8_tile_side(tile); }
    std::size_t tile_rows() const { return blocks_of(height, tile_side()); }
    std::size_t tile_columns() const { return blocks_of(width, tile_side()); }
    std::size_t tiles() const { return batch * tile_rows() * tile_columns(); }
    /// Blocks of the input activation.
    std::size_t activation_blocks() const { return blocks_of(input_channels, int8_channel_block); }
    /// Blocks of v: the channels of a tile that share a cache line.
    static constexpr std::size_t line_channels = 64;
    std::size_t input_blocks() const { return blocks_of(input_channels, line_channels); }
    std::size_t output_blocks() const { return blocks_of(output_channels, int8_channel_block); }
    std::size_t padded_output_channels() const { return output_blocks() * int8_channel_block; }

    /// Output channels are computed in groups of 32; the last group has only 16 if that is enough.
    static constexpr std::size_t group_channels = int8_channel_block;
    std::size_t groups() const { return output_blocks(); }
    std::size_t group_lanes(std::size_t group) const {
        constexpr std::size_t lanes = group_channels / 2;
        return output_channels - group * group_channels > lanes ? group_channels : lanes;
    }
    /// Input channels are multiplied in groups of four, padded with zero filters.
    static constexpr std::size_t quad = 4;
    std::size_t input_quads() const { return blocks_of(input_channels, quad); }

    /// The distance in bytes between positions of v: one cache line more than needed, which avoids cache-set
    /// conflicts between positions. The same for the products, in 32-bit integers.
    std::size_t transformed_stride(std::size_t tile_count) const {
        return (input_blocks() * tile_count + 1) * line_channels;
    }
    static std::size_t product_stride(const WinogradExtent& extent) {
        return extent.groups.size() * extent.tiles.size() * group_channels + 16;
    }
    /// The offset of a group in each position's products.
    static std::size_t product_offset(const WinogradExtent& extent, std::size_t group) {
        return (group - extent.groups.begin) * extent.tiles.size() * group_channels;
    }
    /// The sizes of v (bytes) for `tile_count` tiles, and of the products (32-bit integers).
    std::size_t transformed_size(std::size_t tile_count) const {
        return positions() * transformed_stride(tile_count);
    }
    std::size_t product_size(const WinogradExtent& extent) const {
        return positions() * product_stride(extent);
    }
    /// For each group and position, packed weights hold −zero_point · Σ_c u as 32-bit integers [lane], the
    /// initial values of the sums, then u[input quad][lane][4]. The sizes in bytes of a group's position, the
    /// offset of a group, and the total:
    std::size_t packed_position_size(std::size_t group) const {
        return (1 + input_quads()) * group_lanes(group) * quad;
    }
    std::size_t packed_group(std::size_t group) const {
        return group * positions() * (1 + input_quads()) * group_channels * quad;
    }
    std::size_t packed_size() const {
        const std::size_t last = groups() - 1;
        return packed_group(last) + positions() * packed_position_size(last);
    }
    /// Multiplications and additions of the matrix products.
    std::uint64_t operations() const {
        return std::uint64_t{2} * positions() * tiles() * input_channels * output_channels;
    }
};

/// The steps of one kernel. v and M are aligned to 64 bytes. Calls with different ranges may run
/// concurrently.
struct WinogradInt8Steps {
    /// Transforms input blocks of the tiles.
    void (*transform_input)(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                            IndexRange input_blocks, std::uint8_t* transformed);
    /// Computes all tiles' products at the positions, for the groups.
    void (*multiply)(const WinogradInt8& problem, const WinogradExtent& extent, IndexRange positions,
                     IndexRange groups, const std::uint8_t* transformed, std::int32_t* products);
    /// Computes the tiles' output for the groups.
    void (*transform_output)(const WinogradInt8& problem, const WinogradExtent& extent, TileRange tiles,
                             IndexRange groups, const std::int32_t* products);
};

VGG19_KERNELS(VGG19_DOT_PRODUCT_ISAS, const WinogradInt8Steps, winograd_int8)

/// Transforms and quantises all filters, from [output_channels][input_channels][3][3] with
/// weight_scale[output channel], into packed_size() bytes, the same for every kernel. Writes the quantization
/// step of u to filter_scale[position][padded_output_channels()]: zero if all filters of a position are zero,
/// and for padding channels.
void winograd_int8_pack(const WinogradInt8& problem, int threads, const std::int8_t* weights,
                        const float* weight_scale, std::int8_t* packed, float* filter_scale);

}  // namespace vgg19::kernels
