#include "tools/pipeline/child_process.h"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>
#include <utility>

#include "bench/child_process.h"
#include "engine/model/replacing_file.h"

namespace vgg19::tools {

namespace {

constexpr std::chrono::milliseconds poll_interval{20};

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

    model::ReplacingFile file(output);
    const int code = wait_for(start(words, file.descriptor()), interrupted);
    if (code == 0) file.commit();
    return code;
}

}  // namespace vgg19::tools
