// Reads module settings, which are literals, from TorchScript's code.
#pragma once

#include <string_view>
#include <vector>

namespace vgg19::converter {

/// The epsilons in calls of torch.batch_norm, and the constants `eps` of batch-norm classes; each value once.
/// Takes time linear in the text.
std::vector<double> batch_norm_epsilons(std::string_view code);

}  // namespace vgg19::converter
