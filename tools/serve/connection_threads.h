// The threads that talk to clients, as many as there are; httplib gives them accepted connections.
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace vgg19::server {

/// Never keeps a connection waiting: when all threads are busy, it runs the task on the caller's thread with
/// refuses() true, and the task is expected to say no and return.
class ConnectionThreads final : public httplib::TaskQueue {
  public:
    explicit ConnectionThreads(std::size_t threads);

    void enqueue(std::function<void()> task) override;
    /// Waits for the tasks that run.
    void shutdown() override;

    static bool refuses();

  private:
    void work();

    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::function<void()>> tasks_;
    std::size_t idle_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace vgg19::server
