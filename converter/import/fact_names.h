// The keys under which training scripts keep what a VGG needs to know.
#pragma once

#include <string_view>

namespace vgg19::converter {

/// "classes", "class_to_idx", "id2label", …
bool says_class_names(std::string_view key);

/// Whether the keys of a path, taken together, say the epsilon of batch norms: "args.bn_eps",
/// "norm_layer.2.eps"; not that of an optimiser or of another norm.
bool says_batch_norm_epsilon(std::string_view path);

}  // namespace vgg19::converter
