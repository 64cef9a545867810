// The functions behind vgg19.convert(), quantize(), prune() and evaluate() (vgg19/_surgery.py).
#pragma once

#include <nanobind/nanobind.h>

namespace vgg19::python {

/// Adds them, with names that begin with an underscore: they take all arguments and give plain tuples.
void bind_surgery(nanobind::module_& module);

}  // namespace vgg19::python
