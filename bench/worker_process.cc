#include "bench/worker_process.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <system_error>

#include "bench/child_process.h"
#include "bench/machine.h"
#include "vgg19/error.h"

namespace vgg19::bench {

namespace {

Error system_failure(const std::string& what, int error) {
    return {ErrorKind::failed, what + ": " + std::generic_category().message(error)};
}

/// Both ends are closed on exec, so that a child does not keep another child's pipe open.
struct Pipe {
    Pipe() {
        if (pipe2(ends.data(), O_CLOEXEC) != 0) throw system_failure("cannot make a pipe", errno);
    }
    ~Pipe() {
        for (const int end : ends) {
            if (end >= 0) close(end);
        }
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    std::FILE* open(std::size_t end, const char* mode) {
        std::FILE* const file = fdopen(ends[end], mode);
        if (file == nullptr) throw system_failure("cannot open a pipe", errno);
        ends[end] = -1;
        return file;
    }

    std::array<int, 2> ends = {-1, -1};  ///< read end, write end
};

std::string text_of(const ChildEnd& end) {
    if (end.signal != 0) return "was ended by signal " + std::to_string(end.signal);
    return "ended with exit code " + std::to_string(end.exit_code);
}

}  // namespace

std::vector<std::string> words_before(std::size_t own) {
    std::ifstream file("/proc/self/cmdline", std::ios::binary);
    std::vector<std::string> words;
    for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
    if (words.size() <= own) throw Error(ErrorKind::failed, "/proc/self/cmdline does not hold our arguments");
    words.resize(words.size() - own);
    return words;
}

WorkerProcess::WorkerProcess(std::string name, const std::vector<std::string>& words)
    : name_(std::move(name)) {
    Pipe input;
    Pipe output;
    to_child_.reset(input.open(1, "w"));
    from_child_.reset(output.open(0, "r"));
    const auto start = std::chrono::steady_clock::now();
    process_ = start_this_program("a worker", words, {.input = input.ends[0], .output = output.ends[1]});
    // The parent must close its copies of the child's ends before it reads, or it would never see the end of
    // the output.
    for (int* end : {&input.ends[0], &output.ends[1]}) {
        close(*end);
        *end = -1;
    }
    if (!read_line().starts_with("ready ")) fail("did not say that it is ready");
    ready_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

WorkerProcess::WorkerProcess(WorkerProcess&& other) noexcept
    : name_(std::move(other.name_)),
      ready_seconds_(other.ready_seconds_),
      process_(std::exchange(other.process_, -1)),
      to_child_(std::move(other.to_child_)),
      from_child_(std::move(other.from_child_)) {}

WorkerProcess::~WorkerProcess() {
    if (process_ < 0) return;
    kill(process_, SIGKILL);  // the child has nothing to save
    wait_for(process_);
}

std::vector<double> WorkerProcess::run(std::size_t count) {
    send(std::to_string(count));
    std::istringstream line(read_line());
    std::vector<double> seconds;
    for (double value = 0; line >> value;) seconds.push_back(value);
    if (seconds.size() != count || !line.eof()) fail("did not answer with its times");
    return seconds;
}

std::string WorkerProcess::logits_hash() {
    send("hash");
    std::string hash = read_line();
    if (hash.empty()) fail("did not answer with a hash");
    return hash;
}

std::uint64_t WorkerProcess::peak_rss_bytes() const {
    return bench::peak_rss_bytes(std::to_string(process_));
}

std::string WorkerProcess::read_line() {
    std::string line;
    for (int character = std::fgetc(from_child_.get()); character != '\n';
         character = std::fgetc(from_child_.get())) {
        if (character == EOF) {
            const ChildEnd end = wait_for(std::exchange(process_, -1));
            throw Error(ErrorKind::failed, "the worker for " + name_ + ' ' + text_of(end));
        }
        line += static_cast<char>(character);
    }
    return line;
}

void WorkerProcess::send(const std::string& line) {
    if (std::fprintf(to_child_.get(), "%s\n", line.c_str()) < 0 || std::fflush(to_child_.get()) != 0) {
        fail("does not listen");
    }
}

void WorkerProcess::fail(const std::string& what) {
    throw Error(ErrorKind::failed, "the worker for " + name_ + ' ' + what);
}

}  // namespace vgg19::bench
