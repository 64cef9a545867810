// Convolutions that are named by a scheme of their author's own.
#pragma once

#include <vector>

#include "converter/import/candidates.h"
#include "converter/import/modules.h"

namespace vgg19::converter {

/// Every 8, 10, 13 or 16 convolutions of 3×3 that have one name but for its numbers ("block1.0", "layer7.0",
/// "convs.3"), each with as many inputs as the one before has outputs, in the order of the numbers; and their
/// batch norms, if there are as many under one name. The containers are Naming::in_order. Left out are those
/// whose numbers tell of something else than a VGG: of pools at other places, or of a batch norm that does
/// not follow its convolution at once.
std::vector<Container> ordered_containers(const std::vector<Module>& modules);

}  // namespace vgg19::converter
