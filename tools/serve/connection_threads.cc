#include "tools/serve/connection_threads.h"

#include <utility>

namespace vgg19::server {

namespace {

thread_local bool refusing = false;

}  // namespace

ConnectionThreads::ConnectionThreads(std::size_t threads) : workers_(threads) {
    idle_.reserve(threads);
    for (Worker& worker : workers_) idle_.push_back(&worker);
    for (Worker& worker : workers_) worker.thread = std::thread([this, &worker] { work(worker); });
}

bool ConnectionThreads::refuses() {
    return refusing;
}

void ConnectionThreads::enqueue(std::function<void()> task) {
    {
        const std::scoped_lock lock(mutex_);
        if (!idle_.empty()) {
            Worker& worker = *idle_.back();
            idle_.pop_back();
            worker.task = std::move(task);
            worker.woken.notify_one();
            return;
        }
    }
    refusing = true;
    task();
    refusing = false;
}

void ConnectionThreads::work(Worker& self) {
    std::unique_lock lock(mutex_);
    while (true) {
        self.woken.wait(lock, [&] { return stopping_ || self.task; });
        if (!self.task) return;
        const std::function<void()> task = std::exchange(self.task, nullptr);
        lock.unlock();
        task();
        lock.lock();
        idle_.push_back(&self);
    }
}

void ConnectionThreads::shutdown() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    for (Worker& worker : workers_) worker.woken.notify_one();
    for (Worker& worker : workers_) worker.thread.join();
}

}  // namespace vgg19::server
