// Whose tensor is it? The VGG in a checkpoint, by names and shapes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "converter/import/modules.h"
#include "engine/model/network.h"

namespace vgg19::converter {

/// The statistics of a batch norm that stands between a layer and its ReLU, each (outputs).
struct BatchNormTensors {
    const Parameter* weight = nullptr;  ///< null: 1
    const Parameter* bias = nullptr;    ///< null: 0
    const Parameter* mean = nullptr;
    const Parameter* variance = nullptr;
};

struct LayerTensors {
    const Parameter* weight = nullptr;  ///< may have more dimensions than the layer's, never other values
    const Parameter* bias = nullptr;    ///< null: 0
    std::optional<BatchNormTensors> batch_norm{};
};

struct VggTensors {
    model::Network network;
    std::string title;                           ///< "VGG-19 with batch norm"
    std::string prefix;                          ///< of all its modules; "" at the root of the file
    bool batch_norm = false;                     ///< behind convolutions or dense layers
    std::vector<LayerTensors> layers;            ///< the convolutions, then the dense layers
    std::vector<std::string> convolution_paths;  ///< of the convolutions' modules
    std::vector<std::string> norm_paths;         ///< of the batch norms' modules
    std::vector<std::string> dense_paths;        ///< of the dense layers' modules
    std::size_t tensors = 0;                     ///< that were taken
    /// Tensors that were not: the path to them, as far as it is another than the VGG's, and their number.
    std::vector<std::pair<std::string, std::size_t>> left;
    std::vector<std::string> applied;  ///< for the lineage: "masks applied to 16 tensors"
    std::vector<std::string> notes;    ///< for people: what was assumed, a line each
};

/// Finds the VGG-11, 13, 16 or 19, with or without batch norm, in a checkpoint, wherever it is there, and
/// takes the widths from the shapes. Its convolutions are called "features.0" and so on, as torchvision and
/// timm have them, or "conv1_1" and so on, or by another scheme (ordered_names.h); its dense layers are all
/// the other weights with it. Of several VGGs the one under `key`, where there is one; else the largest; else
/// the one at the root, under "state_dict" or "model"; else the first. `modules` must live as long as the
/// result. Throws Error (bad_input), with `file` in the message, that lists every tensor that is missing,
/// extra, mis-shaped, or not of floating type; or where there is no VGG (under `key`).
VggTensors recognise_vgg(const std::vector<Module>& modules, const std::string& file,
                         std::string_view key = {});

}  // namespace vgg19::converter
