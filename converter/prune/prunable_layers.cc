#include "converter/prune/prunable_layers.h"

#include <algorithm>

namespace vgg19::converter {

namespace {

/// In torchvision's classifier a dense layer, its ReLU and its dropout are modules.
constexpr std::size_t modules_per_dense_layer = 3;

}  // namespace

std::string layer_name(Part part, std::size_t index) {
    return std::string(part == Part::features ? "features." : "classifier.") + std::to_string(index);
}

std::vector<PrunableLayer> prunable_layers(const model::Network& network) {
    std::vector<PrunableLayer> layers;
    for (const model::ConvolutionLayer& layer : network.convolutions()) {
        layers.push_back({Part::features, layer.features_index, layer.output_channels, layers.size() + 1});
    }
    const std::vector<std::size_t> widths = network.classifier_widths();
    std::size_t reader = layers.size();
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
        reader += network.ranks()[i] == 0 ? 1U : 2U;
        layers.push_back({Part::classifier, i * modules_per_dense_layer, widths[i], reader});
    }
    return layers;
}

model::Network with_prunable_widths(const model::Network& network, const std::vector<std::size_t>& widths) {
    const auto hidden = widths.begin() + static_cast<std::ptrdiff_t>(network.convolutions().size());
    std::vector<std::size_t> classifier = network.classifier_widths();
    std::copy(hidden, widths.end(), classifier.begin());
    return network.with_widths({widths.begin(), hidden}).with_classifier_widths(classifier);
}

}  // namespace vgg19::converter
