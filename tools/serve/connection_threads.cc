#include "tools/serve/connection_threads.h"

#include <utility>

namespace vgg19::server {

namespace {

thread_local bool refusing = false;

}  // namespace

ConnectionThreads::ConnectionThreads(std::size_t threads) : idle_(threads) {
    threads_.reserve(threads);
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

bool ConnectionThreads::refuses() {
    return refusing;
}

void ConnectionThreads::enqueue(std::function<void()> task) {
    {
        const std::scoped_lock lock(mutex_);
        if (tasks_.size() < idle_) {
            tasks_.push_back(std::move(task));
            arrived_.notify_one();
            return;
        }
    }
    refusing = true;
    task();
    refusing = false;
}

void ConnectionThreads::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        arrived_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
        if (tasks_.empty()) return;
        std::function<void()> task = std::move(tasks_.front());
        tasks_.pop_front();
        --idle_;
        lock.unlock();
        task();
        task = nullptr;
        lock.lock();
        ++idle_;
    }
}

void ConnectionThreads::shutdown() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    arrived_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

}  // namespace vgg19::server
