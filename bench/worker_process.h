// Starts and controls a worker process, which runs one variant on command.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace vgg19::bench {

/// This process's command line without its last `own` words: "vgg19-bench", or "vgg19 bench".
std::vector<std::string> words_before(std::size_t own);

/// A child that runs `run_worker` (bench/worker.h). It ends with this object, or when the parent dies.
class WorkerProcess {
  public:
    /// Starts this program again with these words (the first becomes its argv[0]) and waits until the child
    /// is ready. Messages call it `name`. Throws Error (failed) if it ends earlier; the child itself reports
    /// the reason on standard error.
    WorkerProcess(std::string name, const std::vector<std::string>& words);
    ~WorkerProcess();
    WorkerProcess(WorkerProcess&& other) noexcept;
    WorkerProcess& operator=(WorkerProcess&&) = delete;

    /// The time of each of `count` inferences, in seconds. Throws Error (failed) if the child does not
    /// answer.
    std::vector<double> run(std::size_t count);

    /// Of the bits of its last run's logits (of the first image). Throws Error (failed) likewise.
    std::string logits_hash();

    std::uint64_t peak_rss_bytes() const;
    /// From the start of the process until it was ready.
    double ready_seconds() const { return ready_seconds_; }

  private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    std::string read_line();
    void send(const std::string& line);
    [[noreturn]] void fail(const std::string& what);

    std::string name_;
    double ready_seconds_ = 0;
    pid_t process_ = -1;
    std::unique_ptr<std::FILE, Close> to_child_;
    std::unique_ptr<std::FILE, Close> from_child_;
};

}  // namespace vgg19::bench
