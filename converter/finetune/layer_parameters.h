// The parameters of one layer, as its passes see them.
#pragma once

#include <span>

namespace vgg19::converter {

struct LayerParameters {
    std::span<const float> weights;  ///< in the file's order
    std::span<const float> bias;
    std::span<float> weights_gradient;  ///< empty where the layer is frozen, as is the next
    std::span<float> bias_gradient;

    bool frozen() const { return weights_gradient.empty(); }
};

}  // namespace vgg19::converter
