// Names of layers on the command line.
#pragma once

#include <string>
#include <vector>

#include "tools/command.h"
#include "vgg19/model.h"

namespace vgg19::tools {

/// Help text: what the names are.
inline constexpr const char* layer_names_help =
    "relu5_4 (conv5_4 is the same before its ReLU), pool5, relu6, relu7 (fc6 and fc7 are before theirs), "
    "logits, probabilities; or torchvision's, such as features.36";

/// The names in the list option `option`. Throws Error (usage) if one stands there twice. Whether a model has
/// them is checked by its session.
std::vector<std::string> layer_list(const CommandLine& line, const std::string& option);

/// The last ReLU of each block of convolutions: before each pool, and at the end.
std::vector<std::string> last_relus(const Model& model);

}  // namespace vgg19::tools
