// Python's exceptions for vgg19::Error.
#pragma once

#include <nanobind/nanobind.h>

namespace vgg19::python {

namespace nb = nanobind;

/// Adds Error and its subclasses to the module, and has vgg19::Error raised as them. Others become what
/// nanobind makes of them: std::bad_alloc a MemoryError, the rest a RuntimeError.
void bind_errors(nb::module_& module);

}  // namespace vgg19::python
