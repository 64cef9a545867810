// Where models are that nobody has named.
#pragma once

#include <filesystem>

#pragma GCC visibility push(default)  // what the shared library exports

namespace vgg19::python {

/// The model of the weights that torchvision publishes, in the user's cache folder; made once if its weights
/// are there. Throws Error (usage) that says how to get them, (bad_input) if the file there is another.
std::filesystem::path published_baseline();

}  // namespace vgg19::python

#pragma GCC visibility pop
