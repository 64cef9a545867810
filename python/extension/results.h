// Results as the tuples with names of vgg19/_results.py.
#pragma once

#include <nanobind/nanobind.h>

#include <string_view>
#include <vector>

#include "python/extension/interpreter.h"
#include "vgg19/map_size.h"
#include "vgg19/model.h"
#include "vgg19/session.h"

namespace vgg19::python {

namespace nb = nanobind;

/// A class of vgg19/_results.py.
PythonClass result_class(const char* name);

nb::str text(std::string_view text);
nb::tuple size_tuple(MapSize size);
/// An int (a square), a pair (height, width), or None: {0, 0}. Throws TypeError.
MapSize size_of(nb::handle size);

nb::object to_python(const Preprocessing& preprocessing);
nb::object to_python(const std::vector<Prediction>& predictions);
nb::object to_python(const std::vector<Output>& outputs);
nb::object to_python(const std::vector<PlanStep>& plan);
const char* name_of(Pooling pooling);

}  // namespace vgg19::python
