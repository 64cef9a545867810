#include "python/extension/interrupts.h"

#include <nanobind/nanobind.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "python/extension/interpreter.h"

namespace vgg19::python {

namespace nb = nanobind;

namespace {

constexpr std::chrono::milliseconds interval(20);

/// Python runs signal handlers on its main thread alone. Others need not take the interpreter's lock.
bool is_main_thread() {
    return syscall(SYS_gettid) == getpid();
}

}  // namespace

Interrupts::Interrupts(const std::atomic<bool>* cancelled)
    : cancelled_(cancelled), handles_signals_(is_main_thread()), next_(Clock::now() + interval) {}

bool Interrupts::is_cancelled() {
    if (cancelled_ != nullptr && *cancelled_) return true;
    if (!handles_signals_) return false;
    const Clock::time_point now = Clock::now();
    if (now < next_) return false;
    next_ = now + interval;
    const Locked lock;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    return false;
}

}  // namespace vgg19::python
