// The 1000 classes of the ImageNet challenge 2012.
#pragma once

#include <span>
#include <string_view>

namespace vgg19 {

struct ImageNetClass {
    std::string_view synset;  ///< WordNet id, such as "n02123045"
    std::string_view label;   ///< torchvision's name, such as "tabby"
};

/// In the order of the network's outputs.
std::span<const ImageNetClass, 1000> imagenet_classes();

}  // namespace vgg19
