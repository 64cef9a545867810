#include "tools/interrupt.h"

#include <unistd.h>

#include <cstring>

namespace vgg19::tools {

namespace {

volatile std::sig_atomic_t signal_seen = 0;
const char* volatile line = nullptr;

extern "C" void remember_signal(int /*signal*/) {
    signal_seen = 1;
    const char* const text = line;
    // A signal handler may call write(). If it fails, the failure cannot be reported either.
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, std::strlen(text));
}

}  // namespace

InterruptGuard::InterruptGuard(const char* announcement) {
    signal_seen = 0;
    line = announcement;
    struct sigaction action {};
    action.sa_handler = remember_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &previous_interrupt_);
    sigaction(SIGTERM, &action, &previous_termination_);
}

InterruptGuard::~InterruptGuard() {
    sigaction(SIGINT, &previous_interrupt_, nullptr);
    sigaction(SIGTERM, &previous_termination_, nullptr);
}

bool InterruptGuard::interrupted() {
    return signal_seen != 0;
}

}  // namespace vgg19::tools
