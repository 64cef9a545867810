// The layers of a network from its configuration in Keras.
#pragma once

#include <string>
#include <vector>

#include "converter/import/formats/layer_chain.h"
#include "converter/import/keras/keras_weights.h"
#include "engine/model/json.h"
#include "vgg19/map_size.h"

namespace vgg19::converter {

struct KerasNetwork {
    std::vector<ChainLayer> layers;
    MapSize input_size{};  ///< empty if the configuration leaves it open
};

/// Throws Error (bad_input), with `file` in the message, for a network that is not one chain of layers, for
/// layers that a VGG does not have, and for missing weights.
KerasNetwork keras_network(const model::Json& config, std::vector<KerasLayer> weights,
                           const std::string& file);

}  // namespace vgg19::converter
