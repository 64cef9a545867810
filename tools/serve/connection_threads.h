// A fixed set of threads that talk to clients; httplib passes accepted connections to them.
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

/// Never queues connections: if all threads are busy, runs the task on the caller's thread with refuses()
/// true, so that the task answers with a refusal and returns. The most recently used idle thread comes first,
/// so that rarely needed threads use little memory.
class ConnectionThreads final : public httplib::TaskQueue {
  public:
    explicit ConnectionThreads(std::size_t threads);

    void enqueue(std::function<void()> task) override;
    /// Waits for running tasks.
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
