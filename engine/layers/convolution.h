// 3×3 convolution with bias and ReLU, by several algorithms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/layers/execution.h"
#include "engine/layers/operation.h"
#include "kernels/onednn/conv_onednn.h"
#include "kernels/winograd/winograd.h"
#include "vgg19/map_size.h"

namespace vgg19::layers {

/// The types of a convolution's weights and input.
enum class ConvolutionType : unsigned char {
    fp32,
    int8,  ///< signed 8-bit weights and unsigned 8-bit input
};

/// INT8 Winograd's tiles (kernels/winograd_int8) for whose transformed input a layer has scales.
struct WinogradInt8Scales {
    bool f2x2 = false;
    bool f4x4 = false;
};

/// The problem to compute. Input and output are in the blocked layout (kernels/common/blocked_layout.h),
/// unless the input is an image.
struct ConvolutionShape {
    std::size_t input_channels = 0;
    std::size_t output_channels = 0;
    MapSize size{};             ///< of input and output
    bool plain_input = false;   ///< the input is an image: [batch][input_channels][height][width]
    bool pool_follows = false;  ///< a 2×2 max-pool of stride 2 follows, which the convolution may include
    /// The next layer reads 8 bits with the scale ConvolutionWeights::output_scale; the convolution may write
    /// them itself.
    bool int8_follows = false;
    /// It must not, since its floats are an output of the session or the input of a pool. An INT8 convolution
    /// then writes them in units of that scale, so that quantization gives the bits that it would give.
    bool float_output = false;
    bool relu = true;  ///< false: the values before the ReLU
    ConvolutionType type = ConvolutionType::fp32;
    WinogradInt8Scales winograd_int8;

    /// Multiplications and additions of direct convolution, for one image.
    std::uint64_t direct_operations() const {
        return std::uint64_t{2} * 9 * input_channels * output_channels * size.pixels();
    }
};

/// Read only while packing.
struct ConvolutionWeights {
    const float* weights = nullptr;             ///< [output_channels][input_channels][3][3], of FP32
    const std::int8_t* int8_weights = nullptr;  ///< INT8 weights in the same order, with their scales:
    const float* weight_scale = nullptr;        ///< [output_channels]
    float input_scale = 0;                      ///< quantization scale of the input
    /// [position], scales of the transformed input of each of Winograd's tiles (network.h); may be absent.
    const float* winograd_input_scale = nullptr;
    const float* winograd_f4x4_input_scale = nullptr;
    const float* bias = nullptr;  ///< [output_channels]
    /// The quantization scale of the next layer's 8-bit input; 0 if that layer is FP32.
    float output_scale = 0;
};

/// The algorithms.
enum class ConvolutionAlgorithm : unsigned char {
    direct,          ///< kernels/conv_direct: any shape, computed directly
    onednn,          ///< kernels/onednn: for the shapes and ISAs that oneDNN supports
    winograd_image,  ///< kernels/winograd_image: for images
    winograd_f2x2,  ///< kernels/winograd with output tiles of 2×2, …: all of winograd_tiles, in their order
    winograd_f2x4,
    winograd_f2x5,
    winograd_f2x7,
    winograd_f4x4,
    winograd_f4x7,
    winograd_f4x8,
    winograd_f5x5,
    winograd_f6x6,
    conv_int8,           ///< kernels/conv_int8: direct, for INT8
    winograd_int8_f2x2,  ///< kernels/winograd_int8, for INT8 with the tile's scales
    winograd_int8_f4x4,
};

/// "direct", "onednn", "winograd_f2x2", …
std::string algorithm_name(ConvolutionAlgorithm algorithm);

/// The tile of an FP32 Winograd algorithm; none for the others.
std::optional<kernels::WinogradTile> winograd_tile(ConvolutionAlgorithm algorithm);
/// The algorithm of one of kernels::winograd_tiles.
ConvolutionAlgorithm winograd_algorithm(kernels::WinogradTile tile);

/// Whether the convolution includes the pool that follows.
bool pools_itself(ConvolutionAlgorithm algorithm, const ConvolutionShape& shape);
/// Whether its output is 8-bit if the next layer reads 8 bits; otherwise it is float.
bool quantizes_itself(ConvolutionAlgorithm algorithm, const ConvolutionShape& shape);
/// Whether its floats are in units of ConvolutionWeights::output_scale.
bool writes_steps(const ConvolutionShape& shape);

kernels::ConvOneDnnShape onednn_shape(const ConvolutionShape& shape, const Execution& execution);

std::unique_ptr<Operation> make_convolution(ConvolutionAlgorithm algorithm, const ConvolutionShape& shape,
                                            const ConvolutionWeights& weights, const Execution& execution);

}  // namespace vgg19::layers
