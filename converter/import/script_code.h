// TorchScript's code: Python text, in which the settings of modules are literals.
#pragma once

#include <string_view>
#include <vector>

namespace vgg19::converter {

/// The epsilons that the calls of torch.batch_norm in the code have, and the constants `eps` of classes that
/// are batch norms. Each value once. Time is linear in the text.
std::vector<double> batch_norm_epsilons(std::string_view code);

}  // namespace vgg19::converter
