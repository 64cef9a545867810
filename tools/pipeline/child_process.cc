#include "tools/pipeline/child_process.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>
#include <thread>
#include <utility>

#include "bench/child_process.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

constexpr std::chrono::milliseconds poll_interval{20};

Error system_failure(const std::string& what) {
    return {ErrorKind::failed, what + ": " + std::generic_category().message(errno)};
}

pid_t start(const std::vector<std::string>& words, int output) {
    std::vector<std::string> all = {"vgg19"};
    all.insert(all.end(), words.begin(), words.end());
    return bench::start_this_program("vgg19 " + words.front(), std::move(all),
                                     {.input = -1, .output = output});
}

int wait_for(pid_t child, bool (*interrupted)()) {
    constexpr int killed = 128;
    bench::ChildEnd end;
    bool told = false;
    while (!bench::has_ended(child, end)) {
        if (interrupted() && !told) {
            kill(child, SIGTERM);
            told = true;
        }
        std::this_thread::sleep_for(poll_interval);
    }
    return end.signal != 0 ? killed + end.signal : end.exit_code;
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
