// The keys under which training scripts store information that an import needs.
#pragma once

#include <string_view>

namespace vgg19::converter {

/// "classes", "class_to_idx", "id2label", …
bool says_class_names(std::string_view key);

/// Whether a path's keys together mean the epsilon of batch norms: "args.bn_eps", "norm_layer.2.eps"; not the
/// epsilon of an optimiser or of another norm.
bool says_batch_norm_epsilon(std::string_view path);

}  // namespace vgg19::converter
