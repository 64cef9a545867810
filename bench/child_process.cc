#include "bench/child_process.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "vgg19/error.h"

namespace vgg19::bench {

namespace {

constexpr const char* this_program = "/proc/self/exe";
constexpr int cannot_start = 127;
constexpr int unknown_end = 127;

bool becomes(int descriptor, int standard) {
    return descriptor < 0 || dup2(descriptor, standard) >= 0;
}

/// Runs in the child. Between fork and exec, only async-signal-safe calls are allowed.
[[noreturn]] void become(char* const* arguments, const ChildStreams& streams, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() == parent && becomes(streams.input, STDIN_FILENO) &&
        becomes(streams.output, STDOUT_FILENO)) {
        execv(this_program, arguments);
    }
    _exit(cannot_start);
}

/// `waited`: what waitpid returned. Without a status nothing is known of the child, least of all success.
ChildEnd end_of(pid_t waited, int status) {
    if (waited < 0) return {.exit_code = unknown_end, .signal = 0};
    if (WIFSIGNALED(status)) return {.exit_code = 0, .signal = WTERMSIG(status)};
    return {.exit_code = WEXITSTATUS(status), .signal = 0};
}

/// A program may have been started with SIGCHLD ignored: then the system keeps no child's end, and waitpid
/// fails.
void keep_ends_of_children() {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    sigemptyset(&action.sa_mask);
    sigaction(SIGCHLD, &action, nullptr);
}

}  // namespace

pid_t start_this_program(const std::string& name, std::vector<std::string> words,
                         const ChildStreams& streams) {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    keep_ends_of_children();
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0) {
        throw Error(ErrorKind::failed,
                    "cannot start " + name + ": " + std::generic_category().message(errno));
    }
    if (child == 0) become(arguments.data(), streams, parent);
    return child;
}

ChildEnd wait_for(pid_t child) {
    int status = 0;
    pid_t waited = -1;
    do {
        waited = waitpid(child, &status, 0);
    } while (waited < 0 && errno == EINTR);
    return end_of(waited, status);
}

bool has_ended(pid_t child, ChildEnd& end) {
    int status = 0;
    const pid_t waited = waitpid(child, &status, WNOHANG);
    if (waited == 0) return false;
    end = end_of(waited, status);
    return true;
}

}  // namespace vgg19::bench
