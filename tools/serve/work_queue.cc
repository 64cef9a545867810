#include "tools/serve/work_queue.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include "engine/model/number_text.h"
#include "vgg19/error.h"

namespace vgg19::server {

bool Task::is_cancelled() const noexcept {
    return cancelled_ || Clock::now() >= end_.load();
}

Problem Task::reason() const noexcept {
    if (cancelled_) return make_problem(503, "cancelled", "the request was cancelled");
    if (Clock::now() >= end_.load()) return make_problem(503, "time_limit", "the request ran for too long");
    return make_problem(503, "stopping", "the server is stopping");
}

void Task::run() noexcept {
    if (most_time_.count() > 0) end_ = Clock::now() + most_time_;
    work();
    finish();
}

void Task::drop() noexcept {
    give_up();
    finish();
}

Reservation Task::wait_for_memory(MemoryPool& pool, std::size_t bytes, const char* what) const {
    auto memory = pool.wait_for(bytes, [this] { return is_cancelled(); });
    if (memory) return std::move(*memory);
    if (is_cancelled()) throw Problem(reason());
    throw Problem(413, "payload_too_large",
                  std::string(what) + ": it takes " + megabytes(bytes) +
                      " of memory to run; this server gives requests " + megabytes(pool.bytes()));
}

void Task::finish() noexcept {
    // What it holds is released on this thread, not with the task.
    const std::function<void()> finished = std::exchange(finished_, nullptr);
    if (finished) finished();
}

WorkQueue::WorkQueue(std::size_t workers, std::size_t capacity, std::function<void(bool has_run)> tidy)
    : capacity_(capacity), tidy_(std::move(tidy)), running_(workers) {
    try {
        start_workers();
    } catch (const std::system_error& error) {
        stop();
        for (std::thread& worker : workers_) worker.join();
        throw Error(ErrorKind::failed, std::string("cannot start a thread for requests: ") + error.what());
    }
}

void WorkQueue::start_workers() {
    workers_.reserve(running_.size());
    for (std::shared_ptr<Task>& running : running_) {
        workers_.emplace_back([this, &running] { work(running); });
    }
}

WorkQueue::~WorkQueue() {
    stop();
    for (std::thread& worker : workers_) worker.join();
}

void WorkQueue::check_place() const {
    if (stopping_) throw Problem(503, "stopping", "the server is stopping");
    // An idle worker counts as a place, although the task waits until the worker wakes up.
    const auto busy = static_cast<std::size_t>(
        std::count_if(running_.begin(), running_.end(), [](const auto& task) { return task != nullptr; }));
    if (busy + waiting_.size() >= running_.size() + capacity_) {
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

void WorkQueue::withdraw(const std::shared_ptr<Task>& task) noexcept {
    {
        const std::scoped_lock lock(mutex_);
        const auto found = std::find(waiting_.begin(), waiting_.end(), task);
        if (found == waiting_.end()) return;
        waiting_.erase(found);
    }
    task->drop();
}

void WorkQueue::stop() noexcept {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    arrived_.notify_all();
    while (true) {
        std::shared_ptr<Task> dropped;
        {
            const std::scoped_lock lock(mutex_);
            if (waiting_.empty()) return;
            dropped = std::move(waiting_.front());
            waiting_.pop_front();
        }
        dropped->drop();
    }
}

void WorkQueue::cancel_running() noexcept {
    const std::scoped_lock lock(mutex_);
    for (const std::shared_ptr<Task>& task : running_) {
        if (task) task->cancel();
    }
}

std::size_t WorkQueue::waiting() const {
    const std::scoped_lock lock(mutex_);
    return waiting_.size();
}

std::size_t WorkQueue::running() const {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(running_.begin(), running_.end(), [](const auto& task) { return task != nullptr; }));
}

/// `running` is this worker's place in running_.
void WorkQueue::work(std::shared_ptr<Task>& running) {
    constexpr std::chrono::seconds idle_time{1};
    bool has_run = false;
    std::unique_lock lock(mutex_);
    while (true) {
        while (!arrived_.wait_for(lock, idle_time, [this] { return stopping_ || !waiting_.empty(); })) {
            lock.unlock();
            tidy_(has_run);
            has_run = false;
            lock.lock();
        }
        if (stopping_) return;
        running = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        running->run();
        has_run = true;
        lock.lock();
        std::shared_ptr<Task> done = std::move(running);
        lock.unlock();
        done.reset();
        lock.lock();
    }
}

void Finish::set() noexcept {
    const std::scoped_lock lock(mutex_);
    set_ = true;
    changed_.notify_all();
}

bool Finish::wait_for(std::chrono::milliseconds time) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [this] { return set_; });
}

}  // namespace vgg19::server
