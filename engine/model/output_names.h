// The values of a network that can be asked for, and their names.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/network.h"

namespace vgg19::model {

/// What a value is, in the order in which a layer gives them.
enum class OutputKind : unsigned char {
    convolution,    ///< with its bias, before the ReLU
    relu,           ///< after a convolution's ReLU
    pool,           ///< after the 2×2 pool that follows it
    average_pool,   ///< the map that the first dense layer reads
    dense,          ///< with its bias, before the ReLU, if one follows
    dense_relu,     ///< after a dense layer's ReLU
    probabilities,  ///< softmax of the last dense layer
};

/// Whether it is a map of the convolutions, so that its size depends on the input's.
constexpr bool is_map(OutputKind kind) {
    return kind <= OutputKind::pool;
}

struct NetworkOutput {
    OutputKind kind{};
    /// The index of its convolution or dense layer in the network's lists; 0 for the average pool.
    std::size_t layer = 0;
    std::vector<std::string> names;  ///< torchvision's first, if it has one
};

/// All of them, in execution order. Names are
/// - torchvision's: "features.0" (a convolution), "features.1" (its ReLU), "features.4" (a pool), "avgpool",
///   "classifier.0", "classifier.1" (its ReLU; "classifier.2", a dropout, is the same value). Factors of a
///   dense layer are "classifier.0.0" and "classifier.0.1", which is "classifier.0" too;
/// - the literature's: "conv3_2" (before its ReLU), "relu3_2", "pool3", "fc6" (before its ReLU), "relu6",
///   "logits" (the last dense layer) and "probabilities". Dense layers are counted from 6, as if the five
///   blocks of convolutions before them were layers 1 to 5.
std::vector<NetworkOutput> network_outputs(const Network& network);

/// The one of this name. Throws Error (usage) that lists all names.
NetworkOutput network_output(const Network& network, std::string_view name);

/// Whether only a network with a classifier has an output of this name.
bool belongs_to_classifier(std::string_view name);

/// "logits"; for a network of features alone the last map's name in the literature.
std::string default_output(const Network& network);

/// Whether `output` is computed no later than `last`.
bool is_computed_by(const NetworkOutput& output, const NetworkOutput& last);

/// Without the batch: (channels, height, width) of maps, else (values).
struct OutputShape {
    std::size_t channels = 0;
    MapSize size{};  ///< 1×1 for dense layers
};
OutputShape output_shape(const Network& network, const NetworkOutput& output, MapSize input_size);

/// The smallest height and width of an input for which each map up to `output` has a pixel, and at least
/// smallest_features_input.
std::size_t smallest_input_of(const Network& network, const NetworkOutput& output);

}  // namespace vgg19::model
