#include "engine/labels/labels.h"

#include <array>

namespace vgg19 {
namespace {

constexpr std::array<ImageNetClass, 1000> classes = {{
#include "engine/labels/imagenet_classes.inc"
}};

}  // namespace

std::span<const ImageNetClass, 1000> imagenet_classes() {
    return classes;
}

}  // namespace vgg19
