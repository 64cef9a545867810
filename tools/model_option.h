// --model of subcommands that run a model.
#pragma once

#include <string>

#include "tools/command_line/command_line.h"

namespace vgg19::tools {

/// The model file of --model. Without it, torchvision's weights as a baseline model, if they are in the
/// user's cache folder: imported at first, and named on standard error. Throws Error (usage) that says how to
/// get them if they are not.
std::string model_option(const CommandLine& line);

}  // namespace vgg19::tools
