// The layers whose filters (or, in the classifier, whose outputs) can be removed.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/model/network.h"

namespace vgg19::converter {

/// The two lists of modules of torchvision's networks.
enum class Part : unsigned char { features, classifier };

/// "features.16", "classifier.3"
std::string layer_name(Part part, std::size_t index);

/// A convolution, or a hidden layer of the classifier, whole even if it is factored.
struct PrunableLayer {
    Part part = Part::features;
    std::size_t index = 0;  ///< in its list of modules
    std::size_t channels = 0;
    /// The layer that reads its outputs, where convolutions are counted first, then dense layers, two for a
    /// factored one.
    std::size_t reader = 0;

    std::string name() const { return layer_name(part, index); }
};

/// All of them: convolutions, then the classifier's hidden layers.
std::vector<PrunableLayer> prunable_layers(const model::Network& network);

/// The network with other widths, one for each of prunable_layers(). Throws Error (usage).
model::Network with_prunable_widths(const model::Network& network, const std::vector<std::size_t>& widths);

}  // namespace vgg19::converter
