// Reads module settings, which are literals, from TorchScript's code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vgg19::converter {

/// The epsilons in calls of torch.batch_norm, and the constants `eps` of batch-norm classes; each value once.
/// Takes time linear in the text.
std::vector<double> batch_norm_epsilons(std::string_view code);

/// What the forward() of the class calls last, whose result it returns: a function, "torch.relu", or a module
/// of its own, "self.relu"; another text or "" for other code. Takes time linear in the text.
std::string last_called(std::string_view code, std::string_view class_name);

}  // namespace vgg19::converter
