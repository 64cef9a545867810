// Finds convolutions with names of an unknown scheme.
#pragma once

#include <vector>

#include "converter/import/candidates.h"
#include "converter/import/modules.h"

namespace vgg19::converter {

/// Finds groups of 8, 10, 13 or 16 3×3 convolutions, or of torchvision's first ones by their widths, whose
/// names differ only in numbers ("block1.0", "layer7.0", "convs.3") and which form a chain in numeric order:
/// each has as many inputs as the previous one has outputs. Their batch norms belong to them if there are as
/// many under one name. The containers are Naming::in_order. Groups whose numbers contradict a VGG are left
/// out: pools at other positions, or a batch norm not directly after its convolution.
std::vector<Container> ordered_containers(const std::vector<Module>& modules);

/// Finds torchvision's `features` cut into slices whose modules keep their numbers, as perceptual losses have
/// them: "slice1.0", "slice2.2", "slice2.5", … The containers are Naming::sequential.
std::vector<Container> sliced_containers(const std::vector<Module>& modules);

}  // namespace vgg19::converter
