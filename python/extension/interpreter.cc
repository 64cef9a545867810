#include "python/extension/interpreter.h"

#include <unistd.h>

namespace vgg19::python {

namespace {

[[noreturn]] void wait_for_the_end() {
    for (;;) pause();
}

/// Calls a function of Python's C interface. They throw nothing: what is caught is the end of the thread.
template <class Function>
auto without_unwinding(const Function& function) {
    try {
        return function();
    } catch (...) {
        wait_for_the_end();  // an end that is caught must not go on from here
    }
}

nb::object object_or_raise(PyObject* made) {
    if (made == nullptr) nb::raise_python_error();
    return nb::steal(made);
}

}  // namespace

Unlocked::~Unlocked() {
    without_unwinding([this] { PyEval_RestoreThread(state_); });
}

Locked::Locked() : state_(without_unwinding([] { return PyGILState_Ensure(); })) {}

nb::object called(nb::handle function, const nb::tuple& arguments, nb::handle keywords) {
    return object_or_raise(
        without_unwinding([&] { return PyObject_Call(function.ptr(), arguments.ptr(), keywords.ptr()); }));
}

nb::object attribute(nb::handle object, const char* name) {
    return object_or_raise(without_unwinding([&] { return PyObject_GetAttrString(object.ptr(), name); }));
}

nb::object imported(const char* module) {
    return object_or_raise(without_unwinding([&] { return PyImport_ImportModule(module); }));
}

}  // namespace vgg19::python
