#include "python/extension/errors.h"

#include <array>
#include <cstddef>
#include <exception>
#include <string>
#include <typeinfo>

#include "vgg19/error.h"

namespace vgg19::python {

namespace {

/// By ErrorKind; they live as long as the process.
std::array<PyObject*, 4> classes{};

PyObject* new_exception(nb::module_& module, const std::string& name, const char* documentation,
                        const nb::tuple& bases) {
    PyObject* made =
        PyErr_NewExceptionWithDoc(("vgg19." + name).c_str(), documentation, bases.ptr(), nullptr);
    if (made == nullptr) nb::raise_python_error();
    module.attr(name.c_str()) = nb::handle(made);
    return made;
}

/// Names of files in a message may be any bytes.
nb::object text_of(const std::string& message) {
    return nb::steal(
        PyUnicode_DecodeUTF8(message.data(), static_cast<Py_ssize_t>(message.size()), "backslashreplace"));
}

void raise(const std::exception_ptr& exception, void* /*payload*/) {
    try {
        std::rethrow_exception(exception);
    } catch (const Error& error) {
        const nb::object text = text_of(error.what());
        if (text.is_valid()) {
            PyErr_SetObject(classes[static_cast<std::size_t>(error.kind())], text.ptr());
        }
    } catch (const std::bad_cast&) {
        PyErr_SetString(PyExc_TypeError, "expected a value of another type");
    }
}

}  // namespace

void bind_errors(nb::module_& module) {
    const nb::handle of_python(PyExc_Exception);
    const nb::handle base(new_exception(module, "Error",
                                        "What the package raises. The message names the file, the place, "
                                        "what was expected and what was found.",
                                        nb::make_tuple(of_python)));
    const auto at = [](ErrorKind kind) -> PyObject*& { return classes[static_cast<std::size_t>(kind)]; };
    at(ErrorKind::usage) = new_exception(
        module, "UsageError",
        "An argument is invalid: an unknown output, an array of the wrong shape, an instruction "
        "set that this CPU lacks, a session in use by two threads.",
        nb::make_tuple(base, nb::handle(PyExc_ValueError)));
    at(ErrorKind::bad_input) = new_exception(module, "BadInputError",
                                             "A model, a picture or another file is invalid, or an array has "
                                             "values that are not finite.",
                                             nb::make_tuple(base, nb::handle(PyExc_ValueError)));
    at(ErrorKind::failed) = new_exception(
        module, "FailedError", "Something failed at run time, such as a full disk or too little memory.",
        nb::make_tuple(base, nb::handle(PyExc_RuntimeError)));
    at(ErrorKind::cancelled) = new_exception(module, "CancelledError",
                                             "The call was ended by Session.cancel().", nb::make_tuple(base));
    nb::register_exception_translator(raise);
}

}  // namespace vgg19::python
