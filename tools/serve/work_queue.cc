#include "tools/serve/work_queue.h"

#include <algorithm>
#include <utility>

#include "tools/serve/problem.h"

namespace vgg19::server {

WorkQueue::WorkQueue(std::size_t workers, std::size_t capacity)
    : capacity_(capacity), worker_count_(workers) {
    workers_.reserve(workers);
    for (std::size_t i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
}

WorkQueue::~WorkQueue() {
    stop();
    for (std::thread& worker : workers_) worker.join();
}

void WorkQueue::check_place() const {
    if (stopping_) throw Problem(503, "stopping", "the server is stopping");
    // An idle worker counts as a place, although the task waits until the worker wakes up.
    if (running_ + waiting_.size() >= worker_count_ + capacity_) {
        throw Problem(503, "queue_full", "the queue is full: " + std::to_string(waiting_.size()) + " wait");
    }
}

void WorkQueue::require_place() const {
    const std::scoped_lock lock(mutex_);
    check_place();
}

void WorkQueue::submit(std::shared_ptr<Task> task) {
    {
        const std::scoped_lock lock(mutex_);
        check_place();
        waiting_.push_back(std::move(task));
    }
    arrived_.notify_one();
}

void WorkQueue::withdraw(const std::shared_ptr<Task>& task) {
    {
        const std::scoped_lock lock(mutex_);
        const auto found = std::find(waiting_.begin(), waiting_.end(), task);
        if (found == waiting_.end()) return;
        waiting_.erase(found);
    }
    task->drop();
}

void WorkQueue::stop() {
    std::deque<std::shared_ptr<Task>> dropped;
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
        dropped.swap(waiting_);
    }
    arrived_.notify_all();
    for (const std::shared_ptr<Task>& task : dropped) task->drop();
}

std::size_t WorkQueue::waiting() const {
    const std::scoped_lock lock(mutex_);
    return waiting_.size();
}

std::size_t WorkQueue::running() const {
    const std::scoped_lock lock(mutex_);
    return running_;
}

void WorkQueue::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        std::shared_ptr<Task> task = std::move(waiting_.front());
        waiting_.pop_front();
        ++running_;
        lock.unlock();
        task->run();
        task.reset();
        lock.lock();
        --running_;
    }
}

void Finish::set() {
    const std::scoped_lock lock(mutex_);
    set_ = true;
    changed_.notify_all();
}

bool Finish::wait_for(std::chrono::milliseconds time) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [this] { return set_; });
}

}  // namespace vgg19::server
