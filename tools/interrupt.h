// Handles Ctrl-C in work that should end cleanly.
#pragma once

#include <csignal>

namespace vgg19::tools {

/// While this object exists, the first SIGINT or SIGTERM is recorded and announced on standard error; the
/// second one ends the process. Only one object may exist at a time.
class InterruptGuard {
  public:
    /// `announcement` is the line to print; it must outlive this object.
    explicit InterruptGuard(const char* announcement);
    ~InterruptGuard();
    InterruptGuard(const InterruptGuard&) = delete;
    InterruptGuard& operator=(const InterruptGuard&) = delete;

    static bool interrupted();

  private:
    struct sigaction previous_interrupt_ {};
    struct sigaction previous_termination_ {};
};

}  // namespace vgg19::tools
