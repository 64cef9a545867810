// Progress messages of the bench, on standard error, so that standard output holds only results.
#pragma once

#include <string>

#include "engine/model/safetensors.h"

namespace vgg19::bench {

/// One line.
void say(const std::string& text);

/// Shows the progress of writing a file, on one line that is redrawn and finally erased. Does nothing if
/// standard error is not a terminal.
model::Progress percent_shown(const std::string& what);

}  // namespace vgg19::bench
