// A bounded queue of tasks, and the threads that run them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace vgg19::server {

/// A worker's task for a request. It may outlive the request.
class Task {
  public:
    virtual ~Task() = default;

    /// Asks the task to end early; the task decides whether it does. Thread-safe.
    void cancel() { cancelled_ = true; }
    bool is_cancelled() const { return cancelled_; }

    /// Exactly one of these is called: run(), on a worker,
    virtual void run() = 0;
    /// or drop(), if the task leaves the queue without running (the server stops, or it was withdrawn).
    virtual void drop() = 0;

  private:
    std::atomic<bool> cancelled_ = false;
};

class WorkQueue {
  public:
    /// `capacity` tasks may wait in addition to those that `workers` threads run.
    WorkQueue(std::size_t workers, std::size_t capacity);
    /// Drops waiting tasks, and waits for running ones.
    ~WorkQueue();
    WorkQueue(const WorkQueue&) = delete;
    WorkQueue& operator=(const WorkQueue&) = delete;

    /// Throws Problem (503) if the queue is full or stopped.
    void submit(std::shared_ptr<Task> task);
    /// Throws if submit() would throw now.
    void require_place() const;
    /// Drops a task that is still waiting; does nothing if it has begun.
    void withdraw(const std::shared_ptr<Task>& task);
    /// Accepts no more tasks and drops waiting ones; running ones continue.
    void stop();

    std::size_t waiting() const;
    std::size_t running() const;

  private:
    void work();
    void check_place() const;  // with the lock

    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::shared_ptr<Task>> waiting_;
    std::size_t capacity_;
    std::size_t worker_count_;
    std::size_t running_ = 0;
    bool stopping_ = false;
    std::vector<std::thread> workers_;
};

/// Signals the end of a task to waiting threads.
class Finish {
  public:
    void set();
    /// False if the time ran out first.
    bool wait_for(std::chrono::milliseconds time) const;

  private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool set_ = false;
};

}  // namespace vgg19::server
