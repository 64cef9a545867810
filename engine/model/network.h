// A network is described by two lists of widths and the size of the pooled map: names, shapes, parameter
// counts and MACs follow from them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vgg19/map_size.h"

namespace vgg19::model {

/// 3×3, stride 1, padding 1, followed by ReLU, and by a 2×2 pool of stride 2 where `pool_follows`.
struct ConvolutionLayer {
    std::string name;  ///< torchvision's, such as "features.16"
    std::size_t features_index = 0;
    std::size_t input_channels = 0;
    std::size_t output_channels = 0;
    bool pool_follows = false;
};

/// Fully connected, followed by ReLU unless it is the last layer or the first of two factors. A factored
/// dense layer, W ≈ B·A, appears as two of these, as if torch.nn.Linear were replaced by a
/// torch.nn.Sequential of two: "classifier.0.0" with the weights A, and "classifier.0.1" with B, the bias and
/// the ReLU.
struct DenseLayer {
    std::string name;  ///< layer k is "classifier.{3·k}", as in torchvision
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    bool relu_follows = false;
    bool signed_input = false;  ///< may be negative: the second of two factors, which follows no ReLU
};

/// The memory order of a dense layer's FP32 or INT8 weights: all weights of one input together (fastest for
/// the engine), or all weights of one output together (as in torchvision).
enum class DenseOrder : unsigned char { input_major, output_major };

struct TensorShape {
    std::string name;
    std::vector<std::size_t> shape;
};

/// Height and width of the map that torchvision's adaptive average pool passes to the first dense layer.
inline constexpr std::size_t default_pooled_side = 7;
/// The number of pools of a network with a classifier, and the most of one without; so 2^5 = 32 is the
/// smallest height and width of the former's input.
inline constexpr std::size_t pools = 5;
inline constexpr std::size_t smallest_input = std::size_t{1} << pools;
/// The smallest height and width of any input: where only features before the last pool are wanted.
inline constexpr std::size_t smallest_features_input = 16;
/// The largest height and width of an input, for models and sessions.
inline constexpr std::size_t largest_input = 8192;
inline constexpr std::size_t image_channels = 3;
/// The number of neighbouring outputs of a dense layer that share a scale for INT4 weights.
inline constexpr std::size_t int4_group = 32;
/// The number of positions in a transformed tile of F(2×2, 3×3), and of F(4×4, 3×3) on complex points
/// (kernels/winograd_int8).
inline constexpr std::size_t winograd_positions = 16;
inline constexpr std::size_t winograd_f4x4_positions = 46;

/// "features.0" → "features.0.weight", and so on.
std::string weight_name(std::string_view layer);
std::string bias_name(std::string_view layer);
std::string weight_scale_name(std::string_view layer);  ///< F32, one per output channel of an I8 weight
/// F32 (1), for an INT8 convolution: the quantization scale of its unsigned 8-bit input (zero point 0).
std::string input_scale_name(std::string_view layer);
/// F32 (winograd_positions), for an INT8 convolution that may run by Winograd's F(2×2, 3×3): the quantization
/// scale of the transformed input at each position (kernels/winograd_int8/winograd_int8.h), in units of the
/// real input.
std::string winograd_input_scale_name(std::string_view layer);
/// F32 (winograd_f4x4_positions): the same for F(4×4, 3×3) (kernels/winograd_int8/complex_points.h).
std::string winograd_f4x4_input_scale_name(std::string_view layer);

/// F32 (outputs), optional, for a convolution whose output channels were scaled before quantization: output
/// channel c of the trained network is its factor times the one that these weights give. The next layer's
/// weights make up for it, so that only who reads this layer's map must multiply.
std::string output_factor_name(std::string_view layer);

/// The name and shape of a dense layer's weights. The name tells the order, since the shape of a square
/// matrix does not: "classifier.0.weight" (outputs, inputs), or "classifier.0.weight_transposed" (inputs,
/// outputs).
TensorShape dense_weight(const DenseLayer& layer, DenseOrder order);

/// "classifier.0.weight_int4" and so on, only for INT4 dense weights.
std::string int4_weight_name(std::string_view layer);
/// U8 (inputs, bytes), input by input: groups of int4_group outputs of 16 bytes each, the last one padded, in
/// the format of kernels/dense/dense.h.
TensorShape int4_dense_weight(const DenseLayer& layer);
/// F16 (inputs, groups), "classifier.0.weight_int4_scale": finite and not negative.
TensorShape int4_dense_scale(const DenseLayer& layer);

/// Whether height and width are both within the limits.
constexpr bool is_input_size(MapSize size, std::size_t smallest_side = smallest_input) {
    const auto fits = [=](std::size_t side) { return smallest_side <= side && side <= largest_input; };
    return fits(size.height) && fits(size.width);
}

class Network {
  public:
    /// `features`: a convolution's width, or 0 for a pool: 64 64 0 128 128 0 … Each pool is after a
    /// convolution. `classifier`: dense widths, of which the last is the number of classes. Before it there
    /// must be five pools, the last at the end; the first dense layer sees pooled_side × pooled_side pixels
    /// of each channel. Without a classifier, for a network of features alone, there may be fewer pools, and
    /// a convolution may be the last. Throws Error (bad_input).
    Network(const std::vector<std::size_t>& features, const std::vector<std::size_t>& classifier,
            std::size_t pooled_side = default_pooled_side);

    /// "64 64 M 128 128 M …" and "4096 4096 1000", as in the model file's metadata; a factored dense layer is
    /// "512:4096", the rank before the outputs. Throws Error (bad_input).
    static Network parse(std::string_view features, std::string_view classifier,
                         std::size_t pooled_side = default_pooled_side);

    /// torchvision's vgg11, vgg13, vgg16 or vgg19, with 1000 classes. Throws Error (usage) for another depth.
    static Network vgg(int depth);

    const std::vector<ConvolutionLayer>& convolutions() const { return convolutions_; }
    /// In execution order; a factored layer counts as two.
    const std::vector<DenseLayer>& dense_layers() const { return dense_layers_; }
    /// The rank of each dense layer's factors, or 0 if it is not factored.
    const std::vector<std::size_t>& ranks() const { return ranks_; }
    /// Height and width of the map that the adaptive average pool passes to the first dense layer.
    std::size_t pooled_side() const { return pooled_side_; }
    /// The input size at which the adaptive average pool does nothing: 224 for torchvision's networks.
    std::size_t natural_input_size() const { return pooled_side_ * smallest_input; }
    /// 0 for a network of features alone.
    std::size_t classes() const { return has_classifier() ? dense_layers_.back().outputs : 0; }
    bool has_classifier() const { return !dense_layers_.empty(); }
    std::size_t pool_count() const;
    bool ends_with_pool() const { return convolutions_.back().pool_follows; }
    /// The smallest height and width of an input for the network's last output: 32 with five pools, 16 with
    /// fewer.
    std::size_t smallest_input_side() const;

    std::vector<std::size_t> features() const;  ///< as the constructor takes them
    std::string features_text() const;          ///< the inverse of parse()
    std::string classifier_text() const;

    /// Name and shape of every weight and bias, in torchvision's order: features.0.weight (O,I,3,3),
    /// features.0.bias (O), …
    std::vector<TensorShape> tensors() const;

    /// Weights and biases.
    std::uint64_t parameters() const;
    /// Multiply-accumulates of one image, by layer (convolutions, then dense layers) and in all; biases do
    /// not count.
    std::uint64_t macs(const ConvolutionLayer& layer, MapSize input_size) const;
    static std::uint64_t macs(const DenseLayer& layer);
    std::uint64_t macs(MapSize input_size) const;
    /// The size of a convolution's input and output: the image's, halved (rounded down) by each pool before
    /// it.
    MapSize map_size(const ConvolutionLayer& layer, MapSize input_size) const;

    /// The number of outputs of each dense layer, a factored one counted once.
    std::vector<std::size_t> classifier_widths() const;

    /// The same network with other convolution widths, one per convolution. Throws Error (usage).
    Network with_widths(const std::vector<std::size_t>& widths) const;
    /// The same network with other classifier_widths(); the last one, the number of classes, must be the
    /// same. Throws Error (usage).
    Network with_classifier_widths(const std::vector<std::size_t>& widths) const;
    /// The same network with these ranks of its dense layers; 0 means not factored. Throws Error (usage).
    Network with_ranks(const std::vector<std::size_t>& ranks) const;
    /// The same network with another number of classes; its last dense layer is not factored. Throws Error
    /// (usage).
    Network with_classes(std::size_t classes) const;

    friend bool operator==(const Network& a, const Network& b) {
        return a.features_text() == b.features_text() && a.classifier_text() == b.classifier_text() &&
               a.pooled_side_ == b.pooled_side_;
    }

  private:
    void add_dense_layers(const std::vector<std::size_t>& classifier);

    std::vector<ConvolutionLayer> convolutions_;
    std::size_t pooled_side_;
    std::vector<std::size_t> ranks_;
    std::vector<DenseLayer> dense_layers_;
};

}  // namespace vgg19::model
