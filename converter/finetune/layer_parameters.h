// The parameters of one layer for its passes.
#pragma once

#include <span>

namespace vgg19::converter {

struct LayerParameters {
    std::span<const float> weights;  ///< in the file's order
    std::span<const float> bias;
    std::span<float> weights_gradient;  ///< empty if the layer is frozen, like the next member
    std::span<float> bias_gradient;

    bool frozen() const { return weights_gradient.empty(); }
};

}  // namespace vgg19::converter
