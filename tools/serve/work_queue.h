// A bounded queue of tasks, and the threads that run them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tools/serve/memory/memory_budget.h"
#include "tools/serve/problem.h"

namespace vgg19::server {

/// A worker's task for a request. It may outlive the request.
class Task {
  public:
    Task() = default;
    virtual ~Task() = default;
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;

    // Before the task is submitted:

    /// Called once, when the task has run or was dropped, on the thread that did it; then destroyed. It must
    /// not throw.
    void when_finished(std::function<void()> finished) { finished_ = std::move(finished); }
    /// How long the task may run; the time in the queue does not count.
    void limit_time(std::chrono::milliseconds time) { most_time_ = time; }

    /// Asks the task to end early. Thread-safe.
    void cancel() noexcept { cancelled_ = true; }
    /// Whether the task is to end now: cancel() was called, or its time is over. Thread-safe.
    bool is_cancelled() const noexcept;
    /// What an answer says of a task that was cancelled or dropped.
    Problem reason() const noexcept;

    // Exactly one of these is called, by the queue:

    /// On a worker.
    void run() noexcept;
    /// When the task leaves the queue without running: the server stops, or it was withdrawn.
    void drop() noexcept;

  protected:
    virtual void work() noexcept = 0;
    virtual void give_up() noexcept = 0;

    /// Waits until the bytes are free. Throws Problem: reason() if the task is cancelled meanwhile, 413 if
    /// they never can be; `what` begins its message.
    Reservation wait_for_memory(MemoryPool& pool, std::size_t bytes, const char* what) const;

  private:
    using Clock = std::chrono::steady_clock;

    void finish() noexcept;

    std::function<void()> finished_;
    std::chrono::milliseconds most_time_{0};  ///< 0: any
    std::atomic<Clock::time_point> end_ = Clock::time_point::max();
    std::atomic<bool> cancelled_ = false;
};

class WorkQueue {
  public:
    /// `capacity` tasks may wait in addition to those that `workers` threads run. `tidy(has_run)` is called
    /// on a worker each second that it has nothing to do; `has_run` tells whether it has run a task since the
    /// call before. It must not throw. Throws Error (failed) if the system refuses a thread.
    WorkQueue(
        std::size_t workers, std::size_t capacity, std::function<void(bool has_run)> tidy = [](bool) {});
    /// Drops waiting tasks, and waits for running ones.
    ~WorkQueue();
    WorkQueue(const WorkQueue&) = delete;
    WorkQueue& operator=(const WorkQueue&) = delete;

    /// Throws Problem (503) if the queue is full or stopped.
    void submit(std::shared_ptr<Task> task);
    /// Throws if submit() would throw now.
    void require_place() const;
    /// Drops a task that is still waiting; does nothing if it has begun.
    void withdraw(const std::shared_ptr<Task>& task) noexcept;
    /// Accepts no more tasks and drops waiting ones; running ones continue.
    void stop() noexcept;
    /// Asks running tasks to end.
    void cancel_running() noexcept;

    std::size_t waiting() const;
    std::size_t running() const;

  private:
    void start_workers();
    void work(std::shared_ptr<Task>& running);
    void check_place() const;  // with the lock

    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::shared_ptr<Task>> waiting_;
    std::size_t capacity_;
    std::function<void(bool has_run)> tidy_;
    std::vector<std::shared_ptr<Task>> running_;  ///< of each worker; null if it is idle
    bool stopping_ = false;
    std::vector<std::thread> workers_;
};

/// Signals the end of something to waiting threads.
class Finish {
  public:
    void set() noexcept;
    /// False if the time ran out first.
    bool wait_for(std::chrono::milliseconds time) const;

  private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool set_ = false;
};

}  // namespace vgg19::server
