// Whose tensor is it? The names that VGG's weights go by, and the network that they tell.
#pragma once

#include <string>
#include <vector>

#include "converter/import/stored_tensor.h"
#include "engine/model/network.h"

namespace vgg19::converter {

/// The statistics of a batch norm that stands between a convolution and its ReLU, each (channels).
struct BatchNormTensors {
    const StoredTensor* weight = nullptr;
    const StoredTensor* bias = nullptr;
    const StoredTensor* mean = nullptr;
    const StoredTensor* variance = nullptr;
};

struct LayerTensors {
    const StoredTensor* weight = nullptr;  ///< may have more dimensions than the layer's, never other values
    const StoredTensor* bias = nullptr;
    BatchNormTensors batch_norm;  ///< null in dense layers and in networks without it
};

struct VggTensors {
    model::Network network;
    bool batch_norm = false;
    std::vector<LayerTensors> layers;  ///< the convolutions, then the dense layers
};

/// Finds out which of VGG-11, 13, 16 and 19, with or without batch norm, the names fit best, and takes the
/// widths from the shapes. Names are torchvision's or timm's, all of them perhaps behind `module.`. Throws
/// Error (bad_input), with `file` in the message, that lists every tensor that is missing, extra, mis-shaped,
/// or not of floating type.
VggTensors recognise_vgg(const std::vector<StoredTensor>& tensors, const std::string& file);

}  // namespace vgg19::converter
