// What numbers Python's arguments may be: the limits of the commands' options.
#pragma once

#include <string>

#include "vgg19/map_size.h"

#pragma GCC visibility push(default)  // what the shared library exports

namespace vgg19::python {

/// Each throws Error (usage) that names the argument.
void require_between(const std::string& name, double number, double least, double most);
/// An instruction set that this CPU has; 0 to 1024 threads.
void require_cpu(int threads, const std::string& isa);
/// Sides that some model's input may have.
void require_input_size(MapSize size);

}  // namespace vgg19::python

#pragma GCC visibility pop
