#include "tools/serve/memory/memory_budget.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace vgg19::server {

Reservation::Reservation(Reservation&& other) noexcept
    : pool_(other.pool_), bytes_(std::exchange(other.bytes_, 0)) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
    if (this == &other) return *this;
    shrink(0);
    pool_ = other.pool_;
    bytes_ = std::exchange(other.bytes_, 0);
    return *this;
}

bool Reservation::grow(std::size_t more) {
    if (pool_ == nullptr || !pool_->take(more)) return false;
    bytes_ += more;
    return true;
}

void Reservation::shrink(std::size_t bytes) noexcept {
    if (bytes >= bytes_) return;
    pool_->give_back(bytes_ - bytes);
    bytes_ = bytes;
}

std::optional<Reservation> MemoryPool::reserve(std::size_t bytes) {
    if (!take(bytes)) return std::nullopt;
    return Reservation(*this, bytes);
}

std::optional<Reservation> MemoryPool::wait_for(std::size_t bytes, const std::function<bool()>& gives_up) {
    constexpr std::chrono::milliseconds glance{50};
    if (bytes > bytes_) return std::nullopt;
    std::unique_lock lock(mutex_);
    const void* const self = &lock;
    waiting_.push_back(self);
    const auto can_go = [&] { return waiting_.front() == self && bytes <= bytes_ - usage_.reserved; };
    bool stays = true;
    while (stays && !changed_.wait_for(lock, glance, can_go)) {
        lock.unlock();
        stays = !gives_up();
        lock.lock();
    }
    if (stays) add(bytes);
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), self));
    changed_.notify_all();  // the next one may go
    if (!stays) return std::nullopt;
    return Reservation(*this, bytes);
}

MemoryPool::Usage MemoryPool::usage() const {
    const std::scoped_lock lock(mutex_);
    return usage_;
}

bool MemoryPool::take(std::size_t bytes) {
    while (!try_take(bytes)) {
        if (bytes <= bytes_ && reclaim_ && reclaim_()) continue;
        const std::scoped_lock lock(mutex_);
        ++usage_.refusals;
        return false;
    }
    return true;
}

bool MemoryPool::try_take(std::size_t bytes) {
    const std::scoped_lock lock(mutex_);
    // Those that wait come first.
    if (!waiting_.empty() || bytes > bytes_ - usage_.reserved) return false;
    add(bytes);
    return true;
}

void MemoryPool::add(std::size_t bytes) {
    usage_.reserved += bytes;
    usage_.most_reserved = std::max(usage_.most_reserved, usage_.reserved);
}

void MemoryPool::give_back(std::size_t bytes) noexcept {
    const std::scoped_lock lock(mutex_);
    usage_.reserved -= bytes;
    changed_.notify_all();
}

}  // namespace vgg19::server
