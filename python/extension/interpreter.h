// The interpreter's lock, and calls of Python code. Use these, not nanobind's: where Python ends while a
// daemon thread is in a call, Python ends the thread as it takes the lock again, by unwinding its stack. C++
// ends the process where a stack is unwound through a destructor. Here the thread waits for the end of the
// process instead.
#pragma once

#include <nanobind/nanobind.h>

#include <utility>

namespace vgg19::python {

namespace nb = nanobind;

/// Lets other threads run Python code while it exists.
class Unlocked {
  public:
    Unlocked() : state_(PyEval_SaveThread()) {}
    ~Unlocked();
    Unlocked(const Unlocked&) = delete;
    Unlocked& operator=(const Unlocked&) = delete;

  private:
    PyThreadState* state_;
};

/// Holds the lock while it exists, on any thread, also one that Python does not know.
class Locked {
  public:
    Locked();
    ~Locked() { PyGILState_Release(state_); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

  private:
    PyGILState_STATE state_;
};

/// function(*arguments, **keywords) with the lock; throws what it raises.
nb::object called(nb::handle function, const nb::tuple& arguments, nb::handle keywords = {});

/// object.name, which may be a property.
nb::object attribute(nb::handle object, const char* name);

nb::object imported(const char* module);

/// A class of Python whose instances are made as by called().
class PythonClass {
  public:
    explicit PythonClass(nb::object type) : type_(std::move(type)) {}

    template <class... Arguments>
    nb::object operator()(Arguments&&... arguments) const {
        return called(type_, nb::make_tuple(std::forward<Arguments>(arguments)...));
    }

  private:
    nb::object type_;
};

}  // namespace vgg19::python
