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
/// refuses() true, and the task is expected to say no and return. The thread that was idle for the shortest
/// time comes first, so that those that are hardly ever needed use hardly any memory.
class ConnectionThreads final : public httplib::TaskQueue {
  public:
    explicit ConnectionThreads(std::size_t threads);

    void enqueue(std::function<void()> task) override;
    /// Waits for the tasks that run.
    void shutdown() override;

    static bool refuses();

  private:
    struct Worker {
        std::condition_variable woken;
        std::function<void()> task;
        std::thread thread;
    };

    void work(Worker& self);

    std::mutex mutex_;
    std::deque<Worker> workers_;
    std::vector<Worker*> idle_;
    bool stopping_ = false;
};

}  // namespace vgg19::server
