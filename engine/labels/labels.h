// The thousand classes of ImageNet's 2012 challenge.
#pragma once

#include <span>
#include <string_view>

namespace vgg19 {

struct ImageNetClass {
    std::string_view synset;  ///< WordNet's, such as "n02123045"
    std::string_view label;   ///< torchvision's, such as "tabby"
};

/// In the order of the network's outputs.
std::span<const ImageNetClass, 1000> imagenet_classes();

}  // namespace vgg19
