// The extension module vgg19._vgg19.
#include <nanobind/nanobind.h>

#include "python/extension/errors.h"
#include "python/extension/model.h"
#include "python/extension/session.h"
#include "python/extension/surgery.h"

NB_MODULE(_vgg19, module) {
    using namespace vgg19::python;
    nb::set_leak_warnings(false);  // objects that live until the interpreter's end are no leak
    module.doc() = "Models and sessions, in C++.";
    module.attr("__version__") = VGG19_VERSION;
    bind_errors(module);
    bind_model(module);
    bind_session(module);
    bind_surgery(module);
}
