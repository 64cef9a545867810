#include "tools/serve/variant_thread.h"

#include <string>
#include <system_error>

#include "vgg19/error.h"

namespace vgg19::server {

void Call::wait() noexcept {
    if (thread_ == nullptr) return;
    std::unique_lock lock(thread_->mutex_);
    thread_->done_.wait(lock, [this] { return is_done_; });
}

VariantThread::VariantThread() {
    try {
        thread_ = std::thread([this] { live(); });
    } catch (const std::system_error& error) {
        throw Error(ErrorKind::failed, std::string("cannot start a variant's thread: ") + error.what());
    }
}

VariantThread::~VariantThread() {
    {
        const std::scoped_lock lock(mutex_);
        ends_ = true;
    }
    begun_.notify_one();
    thread_.join();
}

void VariantThread::begin(Call& call) noexcept {
    {
        const std::scoped_lock lock(mutex_);
        call.thread_ = this;
        (first_ == nullptr ? first_ : last_->next_) = &call;
        last_ = &call;
    }
    begun_.notify_one();
}

void VariantThread::live() {
    std::unique_lock lock(mutex_);
    while (true) {
        begun_.wait(lock, [this] { return ends_ || first_ != nullptr; });
        if (first_ == nullptr) return;
        Call& call = *first_;
        first_ = call.next_;
        lock.unlock();
        call.work_();
        lock.lock();
        call.is_done_ = true;
        done_.notify_all();
    }
}

}  // namespace vgg19::server
