// A thread that waits for calls, so that no request has to start one.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace vgg19::server {

class VariantThread;

/// Work that a VariantThread does while its caller goes on. Nothing allocates between the making of this
/// object and the end of the work.
class Call {
  public:
    /// `work` must not throw.
    explicit Call(std::function<void()> work) : work_(std::move(work)) {}
    /// Waits for the end of the work, if it was begun.
    ~Call() { wait(); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    void wait() noexcept;

  private:
    friend class VariantThread;

    std::function<void()> work_;
    VariantThread* thread_ = nullptr;  ///< which has or had the work
    Call* next_ = nullptr;
    bool is_done_ = false;
};

/// Does one call after another, in order.
class VariantThread {
  public:
    /// Throws Error (failed) if the system refuses a thread.
    VariantThread();
    /// All calls must be done.
    ~VariantThread();
    VariantThread(const VariantThread&) = delete;
    VariantThread& operator=(const VariantThread&) = delete;

    void begin(Call& call) noexcept;
    bool is_current() const { return std::this_thread::get_id() == thread_.get_id(); }

  private:
    friend class Call;
    void live();

    std::mutex mutex_;
    std::condition_variable begun_;
    std::condition_variable done_;
    Call* first_ = nullptr;
    Call* last_ = nullptr;
    bool ends_ = false;
    std::thread thread_;
};

}  // namespace vgg19::server
