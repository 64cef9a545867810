// The parent's side of a measurement: a process that runs one variant when it is told to.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace vgg19::bench {

/// This program's command line before the last `own` words: "vgg19-bench", or "vgg19 bench".
std::vector<std::string> words_before(std::size_t own);

/// A child that runs `run_worker` (bench/worker.h). It ends when this goes away, or when the parent dies.
class WorkerProcess {
  public:
    /// Starts this very program with these words (the first is what it takes for its name) and waits until
    /// the child is ready. `name` stands for it in messages. Throws Error (failed) when it ends before that;
    /// the child itself has said why on standard error.
    WorkerProcess(std::string name, const std::vector<std::string>& words);
    ~WorkerProcess();
    WorkerProcess(WorkerProcess&& other) noexcept;
    WorkerProcess& operator=(WorkerProcess&&) = delete;

    /// The seconds of each of `count` inferences. Throws Error (failed) when the child does not answer.
    std::vector<double> run(std::size_t count);

    std::uint64_t peak_rss_bytes() const;

  private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    std::string read_line();
    void send(const std::string& line);
    [[noreturn]] void fail(const std::string& what);

    std::string name_;
    pid_t process_ = -1;
    std::unique_ptr<std::FILE, Close> to_child_;
    std::unique_ptr<std::FILE, Close> from_child_;
};

}  // namespace vgg19::bench
