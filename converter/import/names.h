// Finds the VGG in a checkpoint, by names and shapes of tensors.
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

/// The parameters of a batch norm between a layer and its ReLU, each (outputs).
struct BatchNormTensors {
    const Parameter* weight = nullptr;  ///< null: 1
    const Parameter* bias = nullptr;    ///< null: 0
    const Parameter* mean = nullptr;
    const Parameter* variance = nullptr;
};

struct LayerTensors {
    const Parameter* weight = nullptr;  ///< may have more dimensions than the layer's, but never other values
    const Parameter* bias = nullptr;    ///< null: 0
    std::optional<BatchNormTensors> batch_norm{};
};

struct VggTensors {
    model::Network network;
    std::string title;                           ///< "VGG-19 with batch norm"
    std::string prefix;                          ///< common to all its modules; "" at the root of the file
    bool batch_norm = false;                     ///< after convolutions or dense layers
    std::vector<LayerTensors> layers;            ///< convolutions, then dense layers
    std::vector<std::string> convolution_paths;  ///< one per convolution
    std::vector<std::string> norm_paths;         ///< one per batch norm
    std::vector<std::string> dense_paths;        ///< one per dense layer
    std::size_t tensors = 0;                     ///< how many were used
    /// Unused tensors: the part of their path that differs from the VGG's, and their number.
    std::vector<std::pair<std::string, std::size_t>> left;
    std::vector<std::string> applied;  ///< for the lineage: "masks applied to 16 tensors"
    std::vector<std::string> notes;    ///< assumptions as text for the user, one line each
};

/// Finds a VGG-11, 13, 16 or 19, or the first of its convolutions without a classifier, with or without batch
/// norm, anywhere in a checkpoint; the widths follow from the shapes. Convolutions may be named "features.0"
/// and so on (torchvision, timm), "conv1_1" and so on, or by another scheme (ordered_names.h); the dense
/// layers are all other weights near them. If there are several VGGs, the choice is: the one under `key`, if
/// that is given; else the largest; else the one at the root, under "state_dict" or under "model"; else the
/// first. With `features_only` a classifier is left out, whatever it is. `modules` must outlive the result.
/// Throws Error (bad_input), with `file` in the message, that lists every tensor that is missing, extra,
/// mis-shaped or not of a floating type; also if there is no VGG (under `key`).
VggTensors recognise_vgg(const std::vector<Module>& modules, const std::string& file,
                         std::string_view key = {}, bool features_only = false);

}  // namespace vgg19::converter
