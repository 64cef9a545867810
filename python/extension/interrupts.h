// Ctrl-C, and the end of a call from another thread, while a call runs without the interpreter's lock.
#pragma once

#include <atomic>
#include <chrono>

namespace vgg19::python {

/// For one call, on its thread.
class Interrupts {
  public:
    /// `cancelled`, if given, ends the call once it is true.
    explicit Interrupts(const std::atomic<bool>* cancelled = nullptr);

    /// For `is_cancelled` of runs and readers: true once the call is to end. Lets Python's signal handlers
    /// run every few milliseconds, on the thread on which Python runs them, and throws what they raise
    /// (nb::python_error, such as KeyboardInterrupt).
    bool is_cancelled();

  private:
    using Clock = std::chrono::steady_clock;
    const std::atomic<bool>* cancelled_;
    bool handles_signals_;
    Clock::time_point next_;
};

}  // namespace vgg19::python
