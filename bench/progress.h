// What the bench tells while it works: on standard error, so that standard output holds the results alone.
#pragma once

#include <string>

#include "engine/model/safetensors.h"

namespace vgg19::bench {

/// One line.
void say(const std::string& text);

/// Shows how far a file's writing is, on a line that is overwritten and wiped at the end. Does nothing where
/// standard error is not a terminal.
model::Progress percent_shown(const std::string& what);

}  // namespace vgg19::bench
