// Ctrl-C for work that wants to end in good order.
#pragma once

#include <csignal>

namespace vgg19::tools {

/// While one exists, the first SIGINT or SIGTERM is remembered, and says so on standard error; the second
/// ends the process as it would have. One at a time.
class InterruptGuard {
  public:
    /// `announcement` is what to say: a line that outlives this.
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
