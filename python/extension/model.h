// vgg19.Model
#pragma once

#include <nanobind/nanobind.h>

#include <filesystem>
#include <optional>

#include "vgg19/model.h"

namespace vgg19::python {

namespace nb = nanobind;

/// A model, and where it came from.
struct PythonModel {
    Model model;
    std::optional<std::filesystem::path> path;  ///< absolute; none for a model in memory
    nb::object buffer;                          ///< whose memory it uses; invalid for a file that is read
    bool mapped = false;                        ///< whether that is a mapping of the file
    nb::handle exporter{};  ///< what the library's model itself holds of Python, one reference; or invalid
};

/// Throws TypeError that names the argument for another object, and for a Model that was never opened.
const PythonModel& model_in(nb::handle object, const char* name);

void bind_model(nb::module_& module);

}  // namespace vgg19::python
