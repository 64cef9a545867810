#include "tools/pipeline/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>
#include <thread>

#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

constexpr const char* this_program = "/proc/self/exe";
constexpr int cannot_start = 127;
constexpr std::chrono::milliseconds poll_interval{20};

Error system_failure(const std::string& what) {
    return {ErrorKind::failed, what + ": " + std::generic_category().message(errno)};
}

/// Runs in the child. Between fork and exec, only async-signal-safe calls are allowed.
[[noreturn]] void become(char* const* arguments, int output, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() == parent && dup2(output, STDOUT_FILENO) >= 0) execv(this_program, arguments);
    _exit(cannot_start);
}

pid_t start(const std::vector<std::string>& words, int output) {
    std::vector<std::string> all = {"vgg19"};
    all.insert(all.end(), words.begin(), words.end());
    std::vector<char*> arguments(all.size() + 1, nullptr);
    for (std::size_t i = 0; i < all.size(); ++i) arguments[i] = all[i].data();
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0) throw system_failure("cannot start vgg19 " + words.front());
    if (child == 0) become(arguments.data(), output, parent);
    return child;
}

int wait_for(pid_t child, bool (*interrupted)()) {
    int status = 0;
    bool told = false;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (interrupted() && !told) {
            kill(child, SIGTERM);
            told = true;
        }
        std::this_thread::sleep_for(poll_interval);
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

int run_child(const std::vector<std::string>& words, const std::filesystem::path& output,
              bool (*interrupted)()) {
    if (output.empty()) return wait_for(start(words, STDERR_FILENO), interrupted);

    const std::filesystem::path partial = output.string() + ".part";
    const int file = open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) throw system_failure("cannot write " + partial.string());
    const int code = wait_for(start(words, file), interrupted);
    const bool whole = code == 0 && fsync(file) == 0;
    close(file);
    if (whole) {
        std::filesystem::rename(partial, output);
    } else {
        std::filesystem::remove(partial);
    }
    return code;
}

}  // namespace vgg19::tools
