// A bounded queue of tasks, and the threads that run them one after the other.
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

/// What a worker does for a request. It may outlast the request.
class Task {
  public:
    virtual ~Task() = default;

    /// Asks the task to end early; whether it does is its own affair. Any thread may call it.
    void cancel() { cancelled_ = true; }
    bool is_cancelled() const { return cancelled_; }

    /// Called once: on a worker,
    virtual void run() = 0;
    /// or, when it leaves the queue without having run (the server stops, or it was withdrawn).
    virtual void drop() = 0;

  private:
    std::atomic<bool> cancelled_ = false;
};

class WorkQueue {
  public:
    /// `capacity` tasks may wait beside those that `workers` threads run.
    WorkQueue(std::size_t workers, std::size_t capacity);
    /// Drops what waits, and waits for what runs.
    ~WorkQueue();
    WorkQueue(const WorkQueue&) = delete;
    WorkQueue& operator=(const WorkQueue&) = delete;

    /// Throws Problem (503) where the queue is full, or stopped.
    void submit(std::shared_ptr<Task> task);
    /// The same without a task: would submit() throw now?
    void require_place() const;
    /// Drops a task that still waits; does nothing for one that has begun.
    void withdraw(const std::shared_ptr<Task>& task);
    /// From now on nothing is taken, and what waits is dropped; what runs goes on.
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

/// A task's end, for those who wait for it.
class Finish {
  public:
    void set();
    /// False when the time is over first.
    bool wait_for(std::chrono::milliseconds time) const;

  private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool set_ = false;
};

}  // namespace vgg19::server
